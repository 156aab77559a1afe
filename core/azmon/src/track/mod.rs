//! Telemetry for which OpenTelemetry has no word: custom events, availability results, errors that are
//! no events.

mod availability;
mod event;
mod exception;
mod record;

pub use self::availability::{Availability, availability};
pub use self::event::{Event, event};
pub use self::exception::{Exception, exception};
