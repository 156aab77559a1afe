use std::error::Error;

use opentelemetry::logs::Severity;

use crate::Telemetry;
use crate::instrument::ErrorChain;
use crate::track::record::{Record, common_methods};

/// Starts an exception from an error: a row of the table `exceptions`, with the error's type and message, and its
/// sources as inner exceptions.
///
/// It belongs to the current operation, and is sent by the globally installed [`Telemetry`], or discarded without one.
/// Code that logs with `tracing` gets the same exception from an event with the error.
///
/// # Examples
///
/// ```
/// if let Err(error) = "x".parse::<u32>() {
///     azmon::exception(&error).property("order", 7).send();
/// }
/// // An `anyhow::Error` or an `eyre::Report` gives the error inside it by `as_ref()`.
/// # let boxed: Box<dyn std::error::Error> = "boxed".into();
/// azmon::exception(boxed.as_ref()).send();
/// ```
#[must_use = "an exception is not sent before `send()`"]
pub fn exception(error: &(dyn Error + 'static)) -> Exception {
    Exception::new(error, Record::new(None))
}

/// An exception under construction: see [`exception`].
#[must_use = "an exception is not sent before `send()`"]
#[derive(Debug, Clone)]
pub struct Exception {
    record: Record,
    severity: Severity,
}

impl Exception {
    fn new(error: &(dyn Error + 'static), mut record: Record) -> Self {
        record.extend(ErrorChain::of(error).into_attributes());
        Self {
            record,
            severity: Severity::Error,
        }
    }

    /// Sets the severity. Defaults to [`Severity::Error`].
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Sends the exception.
    pub fn send(self) {
        self.record.send(self.severity);
    }
}

common_methods!(Exception);

impl Telemetry {
    /// Starts an exception that this telemetry sends: see [`exception`].
    pub fn exception(&self, error: &(dyn Error + 'static)) -> Exception {
        Exception::new(error, Record::new(Some(self.logger().clone())))
    }
}
