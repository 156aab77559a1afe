//! Hostile inputs, 100,000 of each kind in the profile `hostile`. The binary is not named `it`, so that `cargo xtask
//! test` can run it without azmon's.
#![cfg(test)]

mod http;
mod portal;
