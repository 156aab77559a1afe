//! End-to-end tests of azmon.
#![cfg(test)]

mod hostile;
mod mapping_traps;
mod replay;
