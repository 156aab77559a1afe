use opentelemetry::logs::{AnyValue, Severity};

use crate::Telemetry;
use crate::track::record::{Record, common_methods};

/// Starts a custom event: something that the business counts, a row of the table `customEvents`.
///
/// It belongs to the current operation, goes where the [`Telemetry`] that is installed globally sends, and
/// nowhere if none is. Sending never blocks. It is a log record with the attribute
/// `microsoft.custom_event.name`, so that other exporters see it too.
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

/// A custom event that is being put together: see [`event`].
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

    /// Sends it.
    pub fn send(self) {
        self.record.send(Severity::Info);
    }
}

common_methods!(Event);

impl Telemetry {
    /// Starts a custom event that goes where this telemetry sends: see [`event`].
    pub fn event(&self, name: impl Into<AnyValue>) -> Event {
        Event::new(name, Record::new(Some(self.logger().clone())))
    }
}
