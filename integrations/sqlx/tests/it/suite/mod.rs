//! One suite of behaviour, compiled for each product.
//!
//! The products differ only in the dialect: the names in `support::databases`.

mod mysql;
mod postgres;
mod sqlite;
