//! The secrets of a URL, and their replacement.

mod redaction;
mod secret_keys;

pub use self::redaction::{REDACTED, Redaction};
