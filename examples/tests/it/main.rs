//! Runs the examples like a user, and checks the items that arrive in a portal.

#![cfg(test)]

mod azurite;
mod blob_upload;
mod fixture;
mod programs;
mod steady;
