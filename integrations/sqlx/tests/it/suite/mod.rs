//! One suite of behaviour, compiled for each product.
//!
//! Between the products only the dialect differs: the names in `support::databases`.

mod mysql;
mod postgres;
mod sqlite;
