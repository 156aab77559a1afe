use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::Key;
use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry_sdk::logs::SdkLogger;

use crate::instrument::Identity;
use crate::telemetry::global;

/// The content of a direct call before it is sent.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// `None` means the global logger at the time of sending.
    logger: Option<SdkLogger>,
    attributes: Vec<(Key, AnyValue)>,
    measurements: serde_json::Map<String, serde_json::Value>,
    time: Option<SystemTime>,
}

impl Record {
    pub(super) fn new(logger: Option<SdkLogger>) -> Self {
        Self {
            logger,
            attributes: Vec::new(),
            measurements: serde_json::Map::new(),
            time: None,
        }
    }

    pub(super) fn add(&mut self, key: impl Into<Key>, value: impl Into<AnyValue>) {
        self.attributes.push((key.into(), value.into()));
    }

    pub(super) fn extend(&mut self, attributes: impl IntoIterator<Item = (Key, AnyValue)>) {
        self.attributes.extend(attributes);
    }

    /// Skips a number that is not finite, because JSON cannot represent it.
    pub(super) fn measure(&mut self, name: Cow<'static, str>, value: f64) {
        if let Some(number) = serde_json::Number::from_f64(value) {
            self.measurements.insert(name.into_owned(), number.into());
        }
    }

    pub(super) fn identify(&mut self, identity: &Identity) {
        for (key, id) in identity.ids() {
            self.add(key, id.clone());
        }
    }

    pub(super) fn at(&mut self, time: SystemTime) {
        self.time = Some(time);
    }

    pub(super) fn send(mut self, severity: Severity) {
        let Some(logger) = self.logger.take().or_else(global::logger) else {
            return;
        };
        if !self.measurements.is_empty() {
            let json = serde_json::Value::Object(std::mem::take(&mut self.measurements));
            self.add("microsoft.custom_measurements", json.to_string());
        }
        let mut record = logger.create_log_record();
        record.set_severity_number(severity);
        record.add_attributes(self.attributes);
        if let Some(time) = self.time {
            record.set_timestamp(time);
        }
        logger.emit(record);
    }
}

/// Implements the methods that all types share, so that each has them in its own documentation.
macro_rules! common_methods {
    ($kind:ident) => {
        impl $kind {
            /// Adds a custom dimension: a text, a number or a boolean. Names are limited to 150 characters, and texts
            /// are cut to 8,192.
            pub fn property(
                mut self,
                name: impl Into<opentelemetry::Key>,
                value: impl Into<opentelemetry::logs::AnyValue>,
            ) -> Self {
                self.record.add(name, value);
                self
            }

            /// Adds a custom measurement: a number that can be summed. A number that is not finite is skipped.
            pub fn measurement(
                mut self,
                name: impl Into<std::borrow::Cow<'static, str>>,
                value: f64,
            ) -> Self {
                self.record.measure(name.into(), value);
                self
            }

            /// Sets the user and the session. Defaults to the [`Identity`](crate::instrument::Identity) of the current
            /// context.
            pub fn identity(mut self, identity: &crate::instrument::Identity) -> Self {
                self.record.identify(identity);
                self
            }

            /// Sets the time. Defaults to the time of sending.
            pub fn time(mut self, time: std::time::SystemTime) -> Self {
                self.record.at(time);
                self
            }
        }
    };
}
pub(super) use common_methods;
