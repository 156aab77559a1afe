//! Texts that recur: bounded tables of a process, and per-thread caches of the last few.

mod bounded_table;
mod hash;
mod recent;
mod route_names;
mod same_text;

pub(crate) use self::bounded_table::BoundedTable;
pub(crate) use self::hash::TextHasher;
pub use self::recent::{recent_address, recent_path, recent_text};
pub use self::route_names::{RouteName, RouteNames};
pub(crate) use self::same_text::same_text;
