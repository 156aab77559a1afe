//! Hostile inputs, 100,000 of each kind in the profile `hostile`.
#![cfg(test)]

mod http;
mod portal;
