//! Recording what a server answers.

mod client_address;
mod facts;
mod forwarded;
mod headers;
mod layer;
mod name;
mod request;
mod response;
mod route;
#[cfg(feature = "axum")]
mod route_layer;
mod service;
mod settings;
mod span;

pub use self::layer::ServerLayer;
pub use self::route::Route;
#[cfg(feature = "axum")]
pub use self::route_layer::{RouteFuture, RouteLayer, RouteTrace};
pub use self::service::ServerTrace;

pub(crate) use self::response::on_response;
pub(crate) use self::settings::Settings;
