#![doc = include_str!("../README.md")]

mod attempts;
mod body;
mod error_type;
mod extensions;
mod handle;
mod hooks;
mod in_context;
mod middleware;
mod outgoing;
mod response;
mod settings;

pub use azmon_instrument::http::{ResendCount, UrlTemplate};

pub use self::attempts::AttemptCounter;
pub use self::extensions::{Excluded, NoPropagation};
pub use self::middleware::TraceMiddleware;
