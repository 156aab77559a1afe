//! The metrics of queries and pools, by OpenTelemetry's conventions for database clients.
//!
//! What is in a pool is asked of the pool when metrics are collected, so that it is right whatever happened to
//! the futures that wanted its connections, and no task is needed to keep it so.

mod instruments;
mod pools;

pub(crate) use self::instruments::{Instruments, look};
pub(crate) use self::pools::{Count, PoolStatus};
