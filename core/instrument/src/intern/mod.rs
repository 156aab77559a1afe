//! Texts that recur: bounded tables of a process, and per-thread caches of the last few.

mod bounded_table;
mod hash;
mod interned;
mod route_names;

#[cfg(feature = "bound-instruments")]
pub(crate) use self::bounded_table::BoundedTable;
pub use self::hash::text_hash;
#[cfg(feature = "bound-instruments")]
pub(crate) use self::hash::{TextHasher, ptr_or_text_eq};
pub use self::interned::{interned, interned_address, interned_path};
pub use self::route_names::{RouteName, RouteNames};
