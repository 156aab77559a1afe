//! The portal's data: every item as it was sent, an index of its words, and counts by minute.
//!
//! ```text
//! append ─► Prepared (columns, words, checks) ─► queue, bounded by bytes ─► writer thread ─► SQLite (WAL)
//!            on the caller's threads                429 beyond it             one commit for all that wait
//! read ──► Reader: one of four connections, and the series as they were at that moment
//! ```
//! - **Stored** means committed: [`Store::append`] returns when every reader sees the items. A commit survives
//!   any end of the process. If the machine itself stops, the last moments may be missing (`synchronous =
//!   NORMAL`), and the database stays consistent.
//! - **Series**: each combination of application, kind, role, name, target, type, result and success is interned
//!   once, and an item's row contains its number. Rollups count by series and bucket (ten seconds, a minute, ten
//!   minutes, an hour) with a histogram of durations, so that pages never scan items.
//! - **Edges**: a request whose parent is a dependency of another role is counted with both durations when the
//!   second of the two arrives.
//! - **Retention**: the items that arrived first are removed to stay within the limits on bytes, items and age.
//!
//! Only this module contains SQL.

mod calls;
pub(crate) mod checks;
pub(crate) mod counters;
mod dictionary;
mod error;
pub(crate) mod facts;
pub(crate) mod fields;
mod filter;
mod frames;
mod hash;
pub(crate) mod histogram;
mod item;
mod kind;
mod ledger;
mod open;
mod place;
mod prepared;
mod reader;
mod retention;
pub(crate) mod rollups;
mod row;
mod runs;
pub(crate) mod said;
mod schema;
pub(crate) mod search;
mod statistics;
mod tables;
mod tail;
mod views;
mod words;
mod writer;

pub(crate) use self::dictionary::{OTHERS, Series};
pub(crate) use self::error::{AppendError, OpenError};
pub(crate) use self::filter::{ItemFilter, Range};
pub(crate) use self::frames::is_own_frame;
pub(crate) use self::hash::{span_id, stable as stable_hash};
pub use self::item::Item;
pub(crate) use self::item::NewItem;
pub use self::kind::{ItemKind, ParseItemKindError};
pub(crate) use self::open::{Options, State, Store};
pub(crate) use self::prepared::{Dims, SeriesKind, prepare};
pub(crate) use self::reader::{Order, Reader};
pub(crate) use self::retention::Limits;
pub(crate) use self::rollups::Cell;
pub(crate) use self::row::Row;
pub(crate) use self::schema::GRAINS;
pub use self::statistics::Statistics;
pub(crate) use self::tables::{TableCursor, TableQuery, TableRow};
