//! Records the requests that a server answers.

mod attributes;
mod forwarded;
mod layer;
mod request;
mod response;
mod route;
mod service;
mod settings;
mod span;

pub use self::forwarded::TrustedProxies;
pub use self::layer::ServerLayer;
pub use self::route::Route;
#[cfg(feature = "axum")]
pub use self::route::{RouteFuture, RouteLayer, RouteTrace};
pub use self::service::ServerTrace;
