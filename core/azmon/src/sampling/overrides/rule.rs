use opentelemetry::trace::SpanKind;
use opentelemetry::{Key, KeyValue};

use super::error::SamplingOverrideError;
use super::value::Expected;
use crate::item::TelemetryType;
use crate::sampling::item_count::ItemCount;

/// A sampling rate for the spans or log records that meet all of its conditions, as in Application Insights for Java.
///
/// The first override whose conditions are met decides, for a child as for a root, whatever was decided about its
/// parent. A percentage of 0 always drops the span, even if failures are kept. An override without conditions matches
/// every span. It sees only the attributes that a span has at its start: for a request usually method, path and host,
/// but neither route nor status.
///
/// Overrides apply to log records, custom events and availability results only if their type is
/// [`TelemetryType::Trace`], [`TelemetryType::Exception`], [`TelemetryType::CustomEvent`] or
/// [`TelemetryType::Availability`]. They then apply whether the span is sampled or not.
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
    /// The percentage is rounded down to 100/N, so that an item stands for a whole number of items. Out-of-range values
    /// are clamped; NaN means 100.
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

    /// Restricts the override to items of one type. Without a type, an override applies to spans.
    ///
    /// Metrics, and types that only other SDKs send, are not sampled: an override for these types never applies.
    pub fn telemetry_type(mut self, telemetry_type: TelemetryType) -> Self {
        self.telemetry_type = Some(telemetry_type);
        self
    }

    /// Restricts the override to spans of one kind.
    pub fn span_kind(mut self, kind: SpanKind) -> Self {
        self.span_kind = Some(kind);
        self
    }

    /// Requires that the attribute has this value. Numbers and booleans are compared as text.
    pub fn attribute(self, key: impl Into<Key>, value: impl Into<String>) -> Self {
        self.with(key.into(), Expected::Exactly(value.into()))
    }

    /// Requires that the attribute is present, with any value.
    pub fn has_attribute(self, key: impl Into<Key>) -> Self {
        self.with(key.into(), Expected::Anything)
    }

    /// Requires that the regular expression matches the attribute's whole value.
    ///
    /// The syntax is that of the crate `regex-lite`. Matching is case-sensitive unless the pattern begins with `(?i)`.
    ///
    /// # Errors
    ///
    /// Fails if the pattern is not a valid regular expression.
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
            // The last value of a repeated attribute wins.
            let mut newest_first = attributes.iter().rev();
            newest_first
                .find(|attribute| attribute.key == *key)
                .is_some_and(|attribute| expected.is_met_by(&attribute.value))
        })
    }
}

/// Overrides, in order.
#[derive(Debug, Clone, Default)]
pub(in crate::sampling) struct Overrides(Vec<SamplingOverride>);

impl Overrides {
    pub(in crate::sampling) fn new(overrides: Vec<SamplingOverride>) -> Self {
        Self(overrides)
    }

    pub(in crate::sampling) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rate of the first override that applies; the inner `None` keeps nothing.
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

    /// The counterpart of [`rate_of`](Self::rate_of) for a log record.
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

    /// Whether an override applies to log records.
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
