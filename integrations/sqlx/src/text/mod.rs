//! Analyses the text of a query: a summary for span names, and the text without its data.
//!
//! ```text
//! text ─► Scanner, one for each Reading ─► Tokens ─┬► Sanitiser  ─► db.query.text
//!                                                  └► Summariser ─► db.query.summary, db.operation.name, …
//! ```
//!
//! Everything here is a pure function of the text and its [`Dialect`]. Any text is accepted; nothing fails.
//!
//! Session modes, which the text does not show, change how a server reads the text. Text that is data in any of
//! these readings is treated as data.

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
