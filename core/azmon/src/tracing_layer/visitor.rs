use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use opentelemetry::Key;
use opentelemetry::logs::{AnyValue, LogRecord, Severity};
use opentelemetry_sdk::logs::SdkLogRecord;
use tracing::Metadata;
use tracing::field::{Field, Visit};

use crate::instrument::ErrorChain;
use crate::tracing_layer::span_fields::bounded_debug;

/// Fields whose text is an error if the event is a warning or worse.
const ERROR_FIELDS: [&str; 2] = ["err", "error"];

/// Adds the fields of an event to a log record.
pub(super) struct Visitor<'a> {
    record: &'a mut SdkLogRecord,
    severity: Severity,
    target: Cow<'static, str>,
    file: Option<Cow<'static, str>>,
    line: Option<i64>,
    /// The event has attributes of an exception.
    has_exception: bool,
    error: Option<ErrorChain>,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(
        record: &'a mut SdkLogRecord,
        severity: Severity,
        metadata: &'static Metadata<'static>,
    ) -> Self {
        Self {
            record,
            severity,
            target: Cow::Borrowed(metadata.target()),
            file: metadata.file().map(Cow::Borrowed),
            line: metadata.line().map(i64::from),
            has_exception: false,
            error: None,
        }
    }

    /// Adds the values that are known once all fields have been visited.
    pub(super) fn finish(self) {
        self.record.set_target(self.target);
        if !self.has_exception && self.error.is_none() {
            return;
        }
        match self.error {
            Some(error) if self.has_exception => {
                let message = AnyValue::from(error.message().to_owned());
                self.record.add_attribute("error", message);
            }
            Some(error) => self.record.add_attributes(error.into_attributes()),
            None => {}
        }
        if let Some(file) = self.file {
            self.record
                .add_attribute("code.file.path", AnyValue::from(file));
        }
        if let Some(line) = self.line {
            self.record
                .add_attribute("code.line.number", AnyValue::from(line));
        }
    }

    fn text(&mut self, field: &Field, text: Cow<'_, str>) {
        match field.name() {
            "message" => self.record.set_body(AnyValue::from(text.into_owned())),
            // Records of the `log` crate share one call site, and carry their own target.
            "log.target" => self.target = Cow::Owned(text.into_owned()),
            "log.file" => self.file = Some(Cow::Owned(text.into_owned())),
            "log.module_path" => {}
            name if self.is_error(name) => self.error = Some(ErrorChain::parse(&text)),
            _ => self.value(field, text.into_owned()),
        }
    }

    fn is_error(&self, name: &str) -> bool {
        self.severity >= Severity::Warn && self.error.is_none() && ERROR_FIELDS.contains(&name)
    }

    fn value(&mut self, field: &Field, value: impl Into<AnyValue>) {
        let name = field.name();
        self.has_exception |= matches!(name, "exception.type" | "exception.message");
        self.record.add_attribute(Key::from_static_str(name), value);
    }
}

impl Visit for Visitor<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, bounded_debug(value).into());
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        if self.error.is_none() {
            self.error = Some(ErrorChain::of(value));
        } else {
            self.value(field, value.to_string());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, value.into());
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.value(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match (field.name(), i64::try_from(value)) {
            ("log.line", Ok(line)) => self.line = Some(line),
            (_, Ok(value)) => self.value(field, value),
            // OpenTelemetry has no larger integers.
            (_, Err(_)) => self.value(field, value.to_string()),
        }
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        match i64::try_from(value) {
            Ok(value) => self.value(field, value),
            Err(_) => self.value(field, value.to_string()),
        }
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        match i64::try_from(value) {
            Ok(value) => self.value(field, value),
            Err(_) => self.value(field, value.to_string()),
        }
    }
}
