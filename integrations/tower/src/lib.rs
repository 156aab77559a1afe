#![doc = include_str!("../README.md")]

pub mod client;
mod grpc;
mod head;
mod hooks;
mod instrumentation_scope;
mod recording;
pub mod server;

pub use self::client::ClientLayer;
pub use self::head::{RequestHead, ResponseHead};
#[cfg(feature = "axum")]
pub use self::recording::AxumBody;
pub use self::recording::{AtBodyEnd, AtHeaders, ResponseBody, ResponseFuture, SpanEnd};
pub use self::server::ServerLayer;

use self::instrumentation_scope::instrumentation_scope;
