//! The Azure SDK over a fake transport, and over real sockets.

#![cfg(test)]

mod calls;
mod credentials;
mod failures;
mod fixture;
mod global_provider;
mod missing;
mod transfers;
mod transports;
