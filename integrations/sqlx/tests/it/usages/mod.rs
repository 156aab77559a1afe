//! Typical uses of sqlx, compiled and run twice: with sqlx's types, and with azmon-sqlx's types in their place.
//!
//! The two differ only in the imports: the names in `plain.rs` and `ours.rs`.

mod ours;
mod plain;
