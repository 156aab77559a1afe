use std::time::Duration;

use opentelemetry::logs::{AnyValue, Severity};

use crate::Telemetry;
use crate::envelope::TimeSpan;
use crate::track::record::{Record, common_methods};

/// Starts the result of an availability test: a row of the table `availabilityResults`.
///
/// It is sent by the globally installed [`Telemetry`], or discarded without one. Sampling never drops it, except by a
/// sampling override for its type.
///
/// # Examples
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let start = Instant::now();
/// let is_up = true; // ask the page
/// azmon::availability("home page", is_up)
///     .duration(start.elapsed())
///     .run_location("West Europe")
///     .message("200 OK")
///     .send();
/// ```
#[must_use = "a result is not sent before `send()`"]
pub fn availability(name: impl Into<AnyValue>, success: bool) -> Availability {
    Availability::new(name, success, Record::new(None))
}

/// The result of an availability test, under construction: see [`availability`].
#[must_use = "a result is not sent before `send()`"]
#[derive(Debug, Clone)]
pub struct Availability {
    record: Record,
    id: Option<AnyValue>,
    duration: Duration,
}

impl Availability {
    fn new(name: impl Into<AnyValue>, success: bool, mut record: Record) -> Self {
        record.add("microsoft.availability.name", name);
        record.add("microsoft.availability.success", success);
        Self {
            record,
            id: None,
            duration: Duration::ZERO,
        }
    }

    /// Sets the id of this run of the test. Defaults to a random one.
    pub fn id(mut self, id: impl Into<AnyValue>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the duration of the test. Defaults to zero; 1,000 days and more are cut.
    pub fn duration(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }

    /// Sets the location of the test.
    pub fn run_location(mut self, location: impl Into<AnyValue>) -> Self {
        self.record
            .add("microsoft.availability.runLocation", location);
        self
    }

    /// Sets the message of the test, such as the reason of a failure.
    pub fn message(mut self, message: impl Into<AnyValue>) -> Self {
        self.record.add("microsoft.availability.message", message);
        self
    }

    /// Sends the result.
    pub fn send(mut self) {
        let random = || AnyValue::from(format!("{:032x}", fastrand::u128(..)));
        let id = self.id.unwrap_or_else(random);
        self.record.add("microsoft.availability.id", id);
        let duration = TimeSpan(self.duration).to_string();
        self.record.add("microsoft.availability.duration", duration);
        self.record.send(Severity::Info);
    }
}

common_methods!(Availability);

impl Telemetry {
    /// Starts the result of an availability test that this telemetry sends: see [`availability`].
    pub fn availability(&self, name: impl Into<AnyValue>, success: bool) -> Availability {
        let record = Record::new(Some(self.logger().clone()));
        Availability::new(name, success, record)
    }
}
