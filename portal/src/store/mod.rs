//! What the portal holds: the newest items, in memory, within a limit of items and of bytes.
//!
//! Invariants: items are in the order of their arrival and numbered without gaps, so that an id finds its item
//! without a search; the oldest is dropped first; no lock is held while a page is made.
//!
//! The four calls of [`Store`] (append, newest, find, statistics) are all that the rest of the portal knows.

mod item;
mod kind;
mod memory;
mod query;

pub use self::item::Item;
pub(crate) use self::item::NewItem;
pub use self::kind::{ItemKind, ParseItemKindError};
pub use self::memory::{DEFAULT_MAX_BYTES, DEFAULT_MAX_ITEMS};
pub(crate) use self::memory::{Limits, Store};
pub(crate) use self::query::Query;
pub use self::query::Statistics;
