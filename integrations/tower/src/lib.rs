#![doc = include_str!("../README.md")]

pub mod client;
mod head;
mod hooks;
mod recording;
mod scope;
pub mod server;

pub use self::client::ClientLayer;
pub use self::head::{RequestHead, ResponseHead};
#[cfg(feature = "axum")]
pub use self::recording::AxumBody;
pub use self::recording::{AtBodyEnd, AtHeaders, ResponseBody, ResponseFuture, SpanEnd};
pub use self::server::ServerLayer;

use self::scope::scope;
