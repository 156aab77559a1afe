//! Running queries: sqlx's `Executor` for all that has a connection.
//!
//! ```text
//! query ─► Parts ─► &Pool ──────────► Connection ─► Traced ─► driver
//!                   &mut Transaction ──┘
//! ```
//!
//! There is one way to run a query, on a connection; the others get to one, and go that way. All eight methods
//! of the trait are given, since its defaults would box and count what one call does more than once.

mod forwarded;
mod generator;
mod on_connection;
mod on_pool;
mod rows;
mod run;
