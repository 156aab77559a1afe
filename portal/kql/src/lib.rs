//! Kusto Query Language (KQL) over any tables: lexer, parser, binder, push-down, columnar executor.
//!
//! A query is executed with Kusto's semantics, or rejected with the name and the place of the unsupported
//! construct; nothing is silently ignored. The trait [`Catalog`] provides the tables.
//!
//! ```
//! use azmon_kql::{NoTables, Options, run};
//!
//! let query = "range x from 1 to 10 step 1 | summarize count(), percentile(x, 95) by odd = x % 2 == 1";
//! let answer = run(query, &NoTables, &Options::new())?;
//! assert_eq!(answer.len(), 2);
//! assert_eq!(&*answer.columns[1].name, "count_");
//! # Ok::<(), azmon_kql::Error>(())
//! ```
//!
//! # How a query runs
//!
//! ```text
//! text → tokens → tree with places → plan over typed columns → push-down → batches of rows
//!        syntax                      bind                      pushdown    exec, eval
//! ```
//!
//! - The binder finds every error of names, types and arguments before a row is read, and suggests similar names.
//!   `toscalar`, `in (table)`, `materialize`, `pivot` and `bag_unpack` are executed while binding, since
//!   constants or columns depend on them.
//! - [`Table::scan`] receives the conditions that it accepts, the columns that it must return, and the limit.
//! - Operators pass batches of a few thousand rows; columns are typed vectors with null bitmaps. The clock, the
//!   [`CancelToken`] and the [`Limits`] are checked for every batch.
//!
//! # What it does not do
//!
//! Operators and functions outside the list in `docs/kql.md` are rejected: "… is valid Kusto but not supported
//! locally". Management commands (`.show …`) are not supported.

mod answer;
mod batch;
mod bind;
mod catalog;
mod column;
mod complete;
mod convert;
mod decimal;
mod error;
mod eval;
mod exec;
mod expr;
mod functions;
mod json;
mod options;
mod plan;
mod pushdown;
mod span;
mod syntax;
mod text;
mod time;
mod types;
mod value;

pub use answer::{Answer, AnswerColumn, Checked, Render, check, run};
pub use batch::Batch;
pub use catalog::{Catalog, Filter, FilterOp, Hint, NoTables, Rows, ScanOrder, ScanRequest, Table};
pub use column::{Column, ColumnBuilder};
pub use complete::{Word, WordKind, words};
pub use decimal::Decimal;
pub use error::{Error, ErrorKind, Place};
pub use options::{CancelToken, Limits, Options, PushDown, ticks_of};
pub use time::UNIX_EPOCH;
pub use types::{Field, Type};
pub use value::{Bag, Value};
