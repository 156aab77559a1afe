//! Runs queries: sqlx's `Executor` for every type that has a connection.
//!
//! ```text
//! query ─► Parts ─► &Pool ──────────► Connection ─► Traced ─► driver
//!                   &mut Transaction ──┘
//! ```
//!
//! A connection runs the queries; the other executors obtain a connection and delegate to it. All eight methods
//! of the trait are implemented, since its default methods would box streams and count some calls twice.

mod forwarded;
mod generator;
mod on_connection;
mod on_pool;
mod rows;
mod run;
