//! The query language over tables in memory.

#![cfg(test)]

mod hostile;
mod limits;
mod push_down;
mod refusals;
mod semantics;
mod tables;
