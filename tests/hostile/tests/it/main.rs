//! Hostile inputs, 100,000 of each kind.
#![cfg(test)]

mod http;
