//! Pure functions from OpenTelemetry data to [envelopes](crate::envelope).

mod arena;
mod mapper;
mod options;

pub use self::arena::Arena;
pub use self::mapper::Mapper;
pub use self::options::MappingOptions;
