//! The metrics of queries and pools, by OpenTelemetry's semantic conventions for database clients.
//!
//! The counts of a pool are read from the pool when metrics are collected. They stay correct if futures that wait
//! for connections are dropped, and need no background task.

mod instruments;
mod pools;

pub(crate) use self::instruments::{Instruments, look};
pub(crate) use self::pools::{Count, PoolStatus};
