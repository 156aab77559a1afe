//! azmon as a whole, against a real endpoint over real sockets.
#![cfg(test)]

mod child;
mod console;
mod delivery;
mod disk;
mod endpoint;
mod excluded;
mod exporter;
mod failure;
mod faults;
#[cfg(unix)]
mod fork;
mod kill;
mod live;
mod load;
mod log_exporter;
mod logs;
mod metrics;
mod otlp;
mod panics;
mod processors;
mod proxy;
mod runtimes;
mod sampling;
mod span_fields;
mod support;
mod tokens;
mod tracing_layer;
mod track;
