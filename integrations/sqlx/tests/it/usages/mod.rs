//! What people write with sqlx, compiled and run twice: with the types of sqlx, and with ours in their place.
//!
//! Between the two only the imports differ: the names in `plain.rs` and `ours.rs`.

mod ours;
mod plain;
