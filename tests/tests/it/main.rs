//! End-to-end tests of azmon.
#![cfg(test)]

mod end_to_end;
mod hostile;
mod hostile_logs;
mod mapping_traps;
mod replay;
mod strategies;
