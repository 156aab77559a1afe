use opentelemetry::logs::{AnyValue, Severity};

use crate::Telemetry;
use crate::track::record::{Record, common_methods};

/// Starts a custom event: a business fact worth counting, a row of the table `customEvents`.
///
/// It belongs to the current operation, and is sent by the globally installed [`Telemetry`], or discarded without one.
/// Sending never blocks. The event is a log record with the attribute `microsoft.custom_event.name`, so other exporters
/// receive it as well.
///
/// # Examples
///
/// ```
/// azmon::event("checkout")
///     .property("coupon", "SPRING")
///     .property("items", 3)
///     .measurement("amount", 49.90)
///     .send();
/// ```
#[must_use = "an event is not sent before `send()`"]
pub fn event(name: impl Into<AnyValue>) -> Event {
    Event::new(name, Record::new(None))
}

/// A custom event under construction: see [`event`].
#[must_use = "an event is not sent before `send()`"]
#[derive(Debug, Clone)]
pub struct Event {
    record: Record,
}

impl Event {
    fn new(name: impl Into<AnyValue>, mut record: Record) -> Self {
        record.add("microsoft.custom_event.name", name);
        Self { record }
    }

    /// Sends the event.
    pub fn send(self) {
        self.record.send(Severity::Info);
    }
}

common_methods!(Event);

impl Telemetry {
    /// Starts a custom event that this telemetry sends: see [`event`].
    pub fn event(&self, name: impl Into<AnyValue>) -> Event {
        Event::new(name, Record::new(Some(self.logger().clone())))
    }
}
