//! End-to-end tests of azmon.
#![cfg(test)]

mod databases;
mod end_to_end;
mod forwarded_live;
mod hostile;
mod hostile_logs;
mod kept_failures;
mod kql;
mod live;
mod mapping_traps;
mod replay;
mod strategies;
mod two_services;
