//! Records the requests that a client sends.

mod layer;
mod request;
mod resend;
mod service;
mod settings;

pub use self::layer::ClientLayer;
pub use self::resend::{ResendLayer, ResendTrace};
pub use self::service::ClientTrace;
pub use azmon_instrument::http::{ResendCount, UrlTemplate};
