//! The behaviour of traced pools, connections and transactions, against real databases.
#![cfg(test)]
#![expect(
    clippy::duplicate_mod,
    reason = "the suite is compiled for each product, the usages for each library"
)]

mod differential;
mod killed;
mod logs;
mod ours;
mod suite;
mod support;
mod swapped;
mod usages;
