//! What a query's text says about it: a summary for names, and the text without its data.
//!
//! ```text
//! text ─► Tokens ─┬► Sanitiser  ─► db.query.text
//!                 └► Summariser ─► db.query.summary, db.operation.name, db.collection.name
//! ```
//!
//! Pure functions of the text and its [`Dialect`]. They take any text, and never fail.

mod dialect;
mod frame;
mod sanitise;
mod statement;
mod summary;
mod tokens;
mod words;

#[cfg(test)]
mod tests;

pub use self::dialect::Dialect;
pub use self::sanitise::MAX_TEXT;
pub use self::statement::{QueryText, Statement};
pub use self::summary::MAX_SUMMARY;
