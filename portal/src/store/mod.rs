//! What the portal holds: every item as it was sent, an index of its words, and counts by minute.
//!
//! ```text
//! append ─► Prepared (columns, words, checks) ─► queue, bounded by bytes ─► writer thread ─► SQLite (WAL)
//!            on the caller's threads                429 beyond it             one commit for all that wait
//! read ──► Reader: one of four connections, and the series as they were at that moment
//! ```
//! - **Kept** means committed: [`Store::append`] returns when every reader sees the items. A commit survives the end of
//!   the process, however it ends; when the machine itself stops, the last moments may be missing (`synchronous =
//!   NORMAL`), and the database is whole.
//! - **Series**: each combination of application, kind, role, name, target, type, result and success is interned once,
//!   and an item's row has its number. Rollups count by series and bucket (ten seconds, a minute, ten minutes, an hour)
//!   with a histogram of durations, so that pages never scan items.
//! - **Edges**: a request whose parent is a dependency of another role is counted, with both durations, when the second
//!   of the two arrives.
//! - **Removed** are the items that arrived first, to stay within bytes, items and age.
//!
//! Everything that knows SQL is in this module.

mod calls;
pub(crate) mod checks;
pub(crate) mod counters;
mod dictionary;
mod error;
pub(crate) mod facts;
pub(crate) mod fields;
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
pub(crate) use self::frames::is_own_frame;
pub(crate) use self::hash::{span_id, stable as stable_hash};
pub use self::item::Item;
pub(crate) use self::item::NewItem;
pub use self::kind::{ItemKind, ParseItemKindError};
pub(crate) use self::open::{Options, State, Store};
pub(crate) use self::prepared::{Dims, SeriesKind, prepare};
pub(crate) use self::reader::{ItemFilter, Order, Range, Reader};
pub(crate) use self::retention::Limits;
pub(crate) use self::rollups::Cell;
pub(crate) use self::schema::GRAINS;
pub use self::statistics::Statistics;
pub(crate) use self::tables::{TableCursor, TableQuery, TableRow};
