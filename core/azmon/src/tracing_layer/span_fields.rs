//! Fields of the enclosing `tracing` spans, for the log record of an event.

use std::borrow::Cow;
use std::fmt::{self, Write};

use opentelemetry::Key;
use opentelemetry::logs::{AnyValue, LogRecord};
use opentelemetry_sdk::logs::SdkLogRecord;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

/// Maximum length of the text of a value, in bytes: longer than any property may be.
const MAX_TEXT: usize = 512 * 1_024;

/// The fields of the enclosing `tracing` spans that become properties of a log record.
///
/// A field that is recorded after the start of the span counts as well. If several spans have a field of the same name,
/// the innermost one wins. A field of the event itself takes precedence over all of them.
///
/// # Examples
///
/// ```
/// use azmon::{SpanFields, Telemetry};
///
/// let builder = Telemetry::builder().log_span_fields(SpanFields::only(["user_id", "tenant"]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanFields(Choice);

#[derive(Debug, Clone, PartialEq, Eq, Default)]
enum Choice {
    #[default]
    None,
    All,
    Only(Vec<Cow<'static, str>>),
}

impl SpanFields {
    /// No field: the default.
    #[must_use]
    pub fn none() -> Self {
        Self(Choice::None)
    }

    /// All fields.
    #[must_use]
    pub fn all() -> Self {
        Self(Choice::All)
    }

    /// The fields of these names.
    #[must_use]
    pub fn only<N: Into<Cow<'static, str>>>(names: impl IntoIterator<Item = N>) -> Self {
        Self(Choice::Only(names.into_iter().map(Into::into).collect()))
    }

    pub(crate) fn is_none(&self) -> bool {
        self.0 == Choice::None
    }

    fn takes(&self, name: &str) -> bool {
        match &self.0 {
            Choice::None => false,
            Choice::All => true,
            Choice::Only(names) => names.iter().any(|known| known == name),
        }
    }

    /// Keeps the selected fields with their span.
    pub(super) fn keep<'a, S: LookupSpan<'a>>(
        &self,
        span: &SpanRef<'a, S>,
        record: impl FnOnce(&mut dyn Visit),
    ) {
        let mut extensions = span.extensions_mut();
        let mut kept = extensions.remove::<Kept>().unwrap_or_default();
        record(&mut Keeper {
            wanted: self,
            kept: &mut kept,
        });
        extensions.insert(kept);
    }

    /// Adds the fields of the enclosing spans to the record of an event.
    pub(super) fn add<S>(event: &Event<'_>, context: &Context<'_, S>, to: &mut SdkLogRecord)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let Some(scope) = context.event_scope(event) else {
            return;
        };
        let mut known: Vec<&str> = event.fields().map(|field| field.name()).collect();
        for span in scope {
            let extensions = span.extensions();
            for (name, value) in extensions.get::<Kept>().iter().flat_map(|kept| &kept.0) {
                if !known.contains(name) {
                    known.push(name);
                    to.add_attribute(Key::from_static_str(name), value.clone());
                }
            }
        }
    }
}

/// The selected fields of a span.
#[derive(Default)]
struct Kept(Vec<(&'static str, AnyValue)>);

struct Keeper<'a> {
    wanted: &'a SpanFields,
    kept: &'a mut Kept,
}

impl Keeper<'_> {
    fn value(&mut self, field: &Field, value: impl FnOnce() -> AnyValue) {
        let name = field.name();
        if !self.wanted.takes(name) {
            return;
        }
        let fields = &mut self.kept.0;
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = value(),
            None => fields.push((name, value())),
        }
    }
}

impl Visit for Keeper<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.value(field, || bounded_debug(value).into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.value(field, || bounded(value).to_owned().into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.value(field, || value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.value(field, || value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.value(field, || value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.value(field, || match i64::try_from(value) {
            Ok(value) => value.into(),
            // OpenTelemetry has no larger integers.
            Err(_) => value.to_string().into(),
        });
    }
}

/// The start of a text, up to the limit.
fn bounded(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len()))
        .rev()
        .find(|end| text.is_char_boundary(*end));
    text.get(..end.unwrap_or_default()).unwrap_or_default()
}

/// The `Debug` text of a value, written only up to the limit.
pub(super) fn bounded_debug(value: &dyn fmt::Debug) -> String {
    let mut text = Bounded(String::new());
    // Writing fails only at the limit.
    let _ = write!(text, "{value:?}");
    text.0
}

struct Bounded(String);

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = MAX_TEXT.saturating_sub(self.0.len());
        if more.len() <= room {
            self.0.push_str(more);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| more.is_char_boundary(*end));
        self.0
            .push_str(more.get(..end.unwrap_or_default()).unwrap_or_default());
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_very_long_value_is_written_up_to_the_limit() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("世")?;
                }
            }
        }
        let text = bounded_debug(&Endless);
        assert!(text.len() <= MAX_TEXT && text.len() > MAX_TEXT - 3);
        assert_eq!(bounded(&"é".repeat(MAX_TEXT)).len(), MAX_TEXT);
        assert_eq!(bounded("short"), "short");
    }
}
