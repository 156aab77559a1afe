//! azmon as a whole, against a real endpoint over real sockets.
#![cfg(test)]

mod delivery;
mod endpoint;
mod exporter;
mod failure;
mod runtimes;
mod support;
