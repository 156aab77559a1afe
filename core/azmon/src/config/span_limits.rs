use opentelemetry_sdk::trace::SpanLimits;

use crate::config::environment::{
    OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT, OTEL_SPAN_EVENT_COUNT_LIMIT, OTEL_SPAN_LINK_COUNT_LIMIT,
};
use crate::config::parse::number;

/// The limits of a span: those of the environment, or else the SDK's defaults.
pub(super) fn resolve(environment: &dyn Fn(&str) -> Option<String>) -> SpanLimits {
    let mut limits = SpanLimits::default();
    for (limit, variable) in [
        (
            &mut limits.max_attributes_per_span,
            OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT,
        ),
        (&mut limits.max_events_per_span, OTEL_SPAN_EVENT_COUNT_LIMIT),
        (&mut limits.max_links_per_span, OTEL_SPAN_LINK_COUNT_LIMIT),
    ] {
        if let Some(number) = number(environment, variable) {
            *limit = number;
        }
    }
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_sets_the_limits_of_spans() {
        let limits =
            resolve(&|name| (name == "OTEL_SPAN_EVENT_COUNT_LIMIT").then(|| "7".to_owned()));
        assert_eq!(limits.max_events_per_span, 7);
        assert_eq!(limits.max_attributes_per_span, 128);
        assert_eq!(limits.max_links_per_span, 128);
    }
}
