//! What a query's text says about it: a summary for names, and the text without its data.
//!
//! ```text
//! text ─► Scanner, one for each Reading ─► Tokens ─┬► Sanitiser  ─► db.query.text
//!                                                  └► Summariser ─► db.query.summary, db.operation.name, …
//! ```
//!
//! Pure functions of the text and its [`Dialect`]. They take any text, and never fail.
//!
//! A server may read a text in another way than it seems, by modes that the text does not tell. What is data in
//! one of these ways is data, whichever of them is true.

mod common;
mod definitions;
mod dialect;
mod frame;
mod query_info;
mod reading;
mod sanitise;
mod scanner;
mod summary;
mod token;
mod tokens;
mod words;

#[cfg(test)]
mod tests;

pub use self::dialect::Dialect;
pub use self::query_info::{QueryInfo, QueryText};
pub use self::sanitise::MAX_TEXT;
pub use self::summary::MAX_SUMMARY;
