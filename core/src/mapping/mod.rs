//! Pure functions from OpenTelemetry data to [envelopes](crate::envelope).

mod arena;
mod attributes;
mod context;
mod database;
mod dependency;
mod events;
mod http;
mod keys;
mod links;
mod mapper;
mod measurements;
mod messaging;
mod network;
mod options;
mod properties;
mod request;
mod resource;
mod rpc;
mod success;
mod text;

pub use self::arena::Arena;
pub use self::mapper::Mapper;
pub use self::options::MappingOptions;
