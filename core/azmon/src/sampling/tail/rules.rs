use std::time::Duration;

use crate::item::SpanView;
use crate::mapping::{MappingOptions, is_span_success};

/// The rules for local roots that are kept regardless of the rate.
#[derive(Debug, Clone, Default)]
pub(crate) struct KeepRules {
    pub(crate) failures: bool,
    pub(crate) slower_than: Option<Duration>,
}

impl KeepRules {
    pub(crate) fn is_empty(&self) -> bool {
        !self.failures && self.slower_than.is_none()
    }

    /// Whether a local root is kept. `options` define a failure.
    pub(crate) fn keep(&self, span: SpanView<'_>, options: &MappingOptions) -> bool {
        let duration = span.end_time.duration_since(span.start_time);
        let is_slow = self
            .slower_than
            .is_some_and(|limit| duration.unwrap_or_default() > limit);
        is_slow || (self.failures && !is_span_success(span, options))
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;

    use super::*;
    use crate::fixtures::span;

    fn keeps(rules: &KeepRules, status: i64) -> bool {
        let mut span = span("GET /"); // duration: 125 ms
        span.attributes
            .push(KeyValue::new("http.response.status_code", status));
        rules.keep((&span).into(), &MappingOptions::default())
    }

    #[test]
    fn failures_and_what_is_slower_than_a_limit_are_kept_if_asked_for() {
        let failures = KeepRules {
            failures: true,
            slower_than: None,
        };
        let slower_than = |milliseconds| KeepRules {
            failures: false,
            slower_than: Some(Duration::from_millis(milliseconds)),
        };
        assert!(keeps(&failures, 500));
        assert!(!keeps(&failures, 200));
        assert!(keeps(&slower_than(124), 200));
        assert!(!keeps(&slower_than(125), 500));
        assert!(!keeps(&KeepRules::default(), 500));
        assert!(KeepRules::default().is_empty());
    }

    #[test]
    fn a_clock_that_went_backwards_makes_nothing_slow() {
        let mut span = span("GET /");
        std::mem::swap(&mut span.start_time, &mut span.end_time);
        let rules = KeepRules {
            failures: false,
            slower_than: Some(Duration::ZERO),
        };
        assert!(!rules.keep((&span).into(), &MappingOptions::default()));
    }
}
