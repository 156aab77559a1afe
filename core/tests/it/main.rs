//! azmon as a whole, against a real endpoint over real sockets.
#![cfg(test)]

mod console;
mod delivery;
mod endpoint;
mod exporter;
mod failure;
mod load;
mod metrics;
mod otlp;
mod runtimes;
mod support;
