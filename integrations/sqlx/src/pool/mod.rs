//! The pool, and what is told about waiting for its connections and using them.

mod handle;
mod lease;
mod options;
mod wait;

pub use self::handle::Pool;
pub(crate) use self::lease::Lease;
pub use self::options::PoolOptions;
pub use crate::PoolConnection;
pub use sqlx_core::pool::{CloseEvent, PoolConnectionMetadata};
