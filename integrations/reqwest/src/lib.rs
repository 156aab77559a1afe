#![doc = include_str!("../README.md")]

mod attempts;
mod body;
mod call;
mod error_type;
mod handle;
mod in_context;
mod middleware;
mod response;
mod settings;

pub use azmon_instrument::http::{
    EndedExchange, Excluded, NoPropagation, RequestHead, ResendCount, Settings, UrlTemplate,
};

pub use self::attempts::AttemptCounter;
pub use self::middleware::TraceMiddleware;
