#![doc = include_str!("../README.md")]

mod body;
pub mod client;
mod future;
mod mode;
pub mod server;
#[cfg(feature = "axum")]
mod trace_id;

use opentelemetry::InstrumentationScope;

pub use azmon_instrument::http::{
    EndedExchange, Excluded, NoPropagation, RequestHead, ResponseHead, Settings,
};

pub use self::body::ResponseBody;
pub use self::client::ClientLayer;
pub use self::future::ResponseFuture;
#[cfg(feature = "axum")]
pub use self::mode::WrapAxumBody;
pub use self::mode::{EndAtHeaders, ResponseMode, WrapBody};
pub use self::server::ServerLayer;
#[cfg(feature = "axum")]
pub use self::trace_id::CurrentTraceId;

/// The instrumentation scope of this crate's spans and metrics.
fn instrumentation_scope() -> InstrumentationScope {
    InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .with_schema_url("https://opentelemetry.io/schemas/1.40.0")
        .build()
}
