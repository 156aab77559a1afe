//! Application Insights for Rust.

pub mod config;
mod connection_string;
pub mod envelope;
#[cfg(test)]
mod fixtures;
pub mod instrument;
pub mod mapping;
mod pipeline;
mod transmission;

pub use crate::connection_string::{
    ConnectionString, MAX_CONNECTION_STRING, ParseConnectionStringError,
};
pub use crate::transmission::{DropReason, DroppedItems};
