//! Telemetry without an equivalent in OpenTelemetry: custom events, availability results, and exceptions outside of
//! events.

mod availability;
mod event;
mod exception;
mod record;

pub use self::availability::{Availability, availability};
pub use self::event::{Event, event};
pub use self::exception::{Exception, exception};
