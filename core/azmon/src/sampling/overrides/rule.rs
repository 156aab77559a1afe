use opentelemetry::trace::SpanKind;
use opentelemetry::{Key, KeyValue};

use super::error::SamplingOverrideError;
use super::value::Expected;
use crate::item::TelemetryType;
use crate::sampling::item_count::ItemCount;

/// A rate of their own for the spans, or log records, that meet every condition, as in Application Insights
/// for Java.
///
/// Of several overrides the first whose conditions are met decides, for a child as for a root, whatever
/// was decided about its parent; 0 leaves a span out for good, also where failures are kept. Without
/// conditions it is met by every span. Only attributes that a span has when it starts are seen: of a
/// request usually its method, path and host, but neither its route nor its status.
///
/// Log records, custom events and availability results are sampled only by overrides for
/// [`TelemetryType::Trace`], [`TelemetryType::Exception`], [`TelemetryType::CustomEvent`] or
/// [`TelemetryType::Availability`], whether their span is sampled or not.
///
/// # Examples
///
/// ```
/// use azmon::Telemetry;
/// use azmon::sampling::{SamplingOverride, TelemetryType};
///
/// let health_checks = SamplingOverride::new(0.0)
///     .telemetry_type(TelemetryType::Request)
///     .attribute("url.path", "/healthz");
/// let checkouts = SamplingOverride::new(100.0).attribute_regex("url.path", "/checkout(/.*)?")?;
/// let builder = Telemetry::builder()
///     .sampling_ratio(0.1)
///     .sampling_override(health_checks)
///     .sampling_override(checkouts);
/// # Ok::<(), azmon::sampling::SamplingOverrideError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "an override does nothing until a builder has it"]
pub struct SamplingOverride {
    rate: Option<ItemCount>,
    telemetry_type: Option<TelemetryType>,
    span_kind: Option<SpanKind>,
    attributes: Vec<(Key, Expected)>,
}

impl SamplingOverride {
    /// Keeps `percentage` of the spans that meet the conditions, from 0 to 100.
    ///
    /// It is rounded down to 100/N, so that items stand for a whole number of others. What is outside is
    /// the nearer end, and no number is 100.
    pub fn new(percentage: f64) -> Self {
        let percentage = if percentage.is_nan() {
            100.0
        } else {
            percentage
        };
        Self {
            rate: ItemCount::of_ratio(percentage.clamp(0.0, 100.0) / 100.0),
            telemetry_type: None,
            span_kind: None,
            attributes: Vec::new(),
        }
    }

    /// Applies to items of one type only. Without a type, an override applies to spans.
    ///
    /// Metrics, and items that only other SDKs send, are not sampled: an override for their types never
    /// applies.
    pub fn telemetry_type(mut self, telemetry_type: TelemetryType) -> Self {
        self.telemetry_type = Some(telemetry_type);
        self
    }

    /// Applies to spans of one kind only.
    pub fn span_kind(mut self, kind: SpanKind) -> Self {
        self.span_kind = Some(kind);
        self
    }

    /// Applies where the attribute has this value only. Numbers and booleans are compared as text.
    pub fn attribute(self, key: impl Into<Key>, value: impl Into<String>) -> Self {
        self.with(key.into(), Expected::Exactly(value.into()))
    }

    /// Applies where the attribute is there, whatever its value.
    pub fn has_attribute(self, key: impl Into<Key>) -> Self {
        self.with(key.into(), Expected::Anything)
    }

    /// Applies where the attribute's whole value is as the regular expression says.
    ///
    /// The syntax is that of the crate `regex-lite`: case-sensitive, unless it begins
    /// with `(?i)`.
    ///
    /// # Errors
    ///
    /// When the pattern is no regular expression.
    pub fn attribute_regex(
        self,
        key: impl Into<Key>,
        pattern: &str,
    ) -> Result<Self, SamplingOverrideError> {
        let expected = Expected::matching(pattern)?;
        Ok(self.with(key.into(), expected))
    }

    fn with(mut self, key: Key, expected: Expected) -> Self {
        self.attributes.push((key, expected));
        self
    }

    fn applies_to(&self, kind: &SpanKind, attributes: &[KeyValue]) -> bool {
        let telemetry_type = TelemetryType::of_span(kind);
        self.telemetry_type.is_none_or(|own| own == telemetry_type)
            && self.span_kind.as_ref().is_none_or(|own| own == kind)
            && self.is_met_by(attributes)
    }

    fn applies_to_log(&self, telemetry_type: TelemetryType, attributes: &[KeyValue]) -> bool {
        self.telemetry_type == Some(telemetry_type) && self.is_met_by(attributes)
    }

    fn is_met_by(&self, attributes: &[KeyValue]) -> bool {
        self.attributes.iter().all(|(key, expected)| {
            // An attribute that is there twice has its last value.
            let mut newest_first = attributes.iter().rev();
            newest_first
                .find(|attribute| attribute.key == *key)
                .is_some_and(|attribute| expected.is_met_by(&attribute.value))
        })
    }
}

/// Overrides, in their order.
#[derive(Debug, Clone, Default)]
pub(in crate::sampling) struct Overrides(Vec<SamplingOverride>);

impl Overrides {
    pub(in crate::sampling) fn new(overrides: Vec<SamplingOverride>) -> Self {
        Self(overrides)
    }

    pub(in crate::sampling) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rate of the first override that applies, if one does: `None` in it keeps nothing.
    pub(in crate::sampling) fn rate_of(
        &self,
        kind: &SpanKind,
        attributes: &[KeyValue],
    ) -> Option<Option<ItemCount>> {
        let mut overrides = self.0.iter();
        overrides
            .find(|rule| rule.applies_to(kind, attributes))
            .map(|rule| rule.rate)
    }

    /// As [`rate_of`](Self::rate_of), for a log record.
    pub(in crate::sampling) fn rate_of_log(
        &self,
        telemetry_type: TelemetryType,
        attributes: &[KeyValue],
    ) -> Option<Option<ItemCount>> {
        let mut overrides = self.0.iter();
        overrides
            .find(|rule| rule.applies_to_log(telemetry_type, attributes))
            .map(|rule| rule.rate)
    }

    /// Whether an override is about log records.
    pub(in crate::sampling) fn are_about_logs(&self) -> bool {
        let is_span = |of| matches!(of, TelemetryType::Request | TelemetryType::Dependency);
        self.0
            .iter()
            .any(|rule| rule.telemetry_type.is_some_and(|of| !is_span(of)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: u32) -> Option<Option<ItemCount>> {
        Some(ItemCount::from_u32(count))
    }

    #[test]
    fn the_first_override_that_applies_decides() {
        let overrides = Overrides::new(vec![
            SamplingOverride::new(0.0).attribute("url.path", "/healthz"),
            SamplingOverride::new(50.0).telemetry_type(TelemetryType::Request),
            SamplingOverride::new(10.0).span_kind(SpanKind::Client),
            SamplingOverride::new(20.0).has_attribute("db.system.name"),
        ]);
        let health = [KeyValue::new("url.path", "/healthz")];
        let database = [KeyValue::new("db.system.name", "postgresql")];
        for (kind, attributes, expected) in [
            (SpanKind::Server, &health[..], items(0)),
            (SpanKind::Client, &health[..], items(0)),
            (SpanKind::Server, &[], items(2)),
            (SpanKind::Consumer, &database[..], items(2)),
            (SpanKind::Client, &database[..], items(10)),
            (SpanKind::Internal, &database[..], items(5)),
            (SpanKind::Producer, &[], None),
        ] {
            assert_eq!(overrides.rate_of(&kind, attributes), expected, "{kind:?}");
        }
    }

    #[test]
    fn log_records_are_met_by_overrides_for_them_only() {
        let overrides = Overrides::new(vec![
            SamplingOverride::new(0.0),
            SamplingOverride::new(50.0)
                .telemetry_type(TelemetryType::Trace)
                .attribute("logger_name", "noisy"),
            SamplingOverride::new(10.0).telemetry_type(TelemetryType::Exception),
            SamplingOverride::new(0.0).telemetry_type(TelemetryType::CustomEvent),
        ]);
        let noisy = [KeyValue::new("logger_name", "noisy")];
        assert!(overrides.are_about_logs());
        assert_eq!(
            overrides.rate_of_log(TelemetryType::Trace, &noisy),
            items(2)
        );
        assert_eq!(overrides.rate_of_log(TelemetryType::Trace, &[]), None);
        assert_eq!(
            overrides.rate_of_log(TelemetryType::Exception, &noisy),
            items(10)
        );
        assert_eq!(
            overrides.rate_of_log(TelemetryType::CustomEvent, &[]),
            Some(None)
        );
        assert_eq!(
            overrides.rate_of_log(TelemetryType::Availability, &[]),
            None
        );
    }

    #[test]
    fn every_condition_must_be_met() {
        let rule = SamplingOverride::new(100.0)
            .span_kind(SpanKind::Server)
            .attribute("http.request.method", "GET")
            .attribute_regex("url.path", "/api/.*")
            .unwrap();
        let attributes = |method: &'static str, path: &'static str| {
            [
                KeyValue::new("url.path", "/replaced"),
                KeyValue::new("http.request.method", method),
                KeyValue::new("url.path", path),
            ]
        };
        assert!(rule.applies_to(&SpanKind::Server, &attributes("GET", "/api/x")));
        assert!(!rule.applies_to(&SpanKind::Client, &attributes("GET", "/api/x")));
        assert!(!rule.applies_to(&SpanKind::Server, &attributes("PUT", "/api/x")));
        assert!(!rule.applies_to(&SpanKind::Server, &attributes("GET", "/x/api/")));
        assert!(!rule.applies_to(&SpanKind::Server, &[]));
    }

    #[test]
    fn percentages_are_rounded_down_and_held_within_their_ends() {
        for (percentage, expected) in [
            (30.0, 4),
            (100.0, 1),
            (250.0, 1),
            (f64::NAN, 1),
            (0.0, 0),
            (-5.0, 0),
        ] {
            let overrides = Overrides::new(vec![SamplingOverride::new(percentage)]);
            let rate = overrides.rate_of(&SpanKind::Server, &[]);
            assert_eq!(rate, items(expected), "{percentage}");
        }
    }
}
