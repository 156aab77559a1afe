//! The pool, its options, and the wait for one of its connections.

mod handle;
mod options;
mod wait;

pub use self::handle::Pool;
pub use self::options::PoolOptions;
pub use crate::PoolConnection;
pub use sqlx_core::pool::{CloseEvent, PoolConnectionMetadata};
