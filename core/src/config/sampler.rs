use opentelemetry::trace::{Link, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue, otel_warn};
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, ShouldSample};

use crate::config::environment::{OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG};

/// The attribute from which the item count is computed.
const SAMPLE_RATE: &str = "microsoft.sample_rate";

/// The sampler that the environment names, or `always_on`.
pub(super) fn resolve(environment: &dyn Fn(&str) -> Option<String>) -> Box<dyn ShouldSample> {
    let Some(name) = environment(OTEL_TRACES_SAMPLER) else {
        return Box::new(Sampler::AlwaysOn);
    };
    let lower = name.trim().to_ascii_lowercase();
    let (parent_based, root) = match lower.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, lower.as_str()),
    };
    match root {
        "always_on" => of_root(Sampler::AlwaysOn, parent_based),
        "always_off" => of_root(Sampler::AlwaysOff, parent_based),
        "traceidratio" | "trace_id_ratio" => {
            let ratio = ratio(environment(OTEL_TRACES_SAMPLER_ARG));
            let sampler = of_root(Sampler::TraceIdRatioBased(ratio), parent_based);
            Box::new(Rated::new(sampler, ratio))
        }
        _ => {
            otel_warn!(name: "Config.UnknownSampler", variable = OTEL_TRACES_SAMPLER, value = name.as_str());
            Box::new(Sampler::AlwaysOn)
        }
    }
}

fn of_root(root: Sampler, parent_based: bool) -> Box<dyn ShouldSample> {
    if parent_based {
        Box::new(Sampler::ParentBased(Box::new(root)))
    } else {
        Box::new(root)
    }
}

fn ratio(argument: Option<String>) -> f64 {
    let Some(argument) = argument else { return 1.0 };
    match argument.trim().parse::<f64>() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => ratio,
        _ => {
            otel_warn!(name: "Config.InvalidSamplingRatio", variable = OTEL_TRACES_SAMPLER_ARG, value = argument.as_str());
            1.0
        }
    }
}

/// Writes the rate on every span that is kept, so that Azure Monitor counts those that were not.
///
/// Spans that follow a remote parent's decision carry the same rate, which is right as long as all
/// services of a system sample alike.
#[derive(Debug, Clone)]
struct Rated {
    inner: Box<dyn ShouldSample>,
    percent: f64,
}

impl Rated {
    fn new(inner: Box<dyn ShouldSample>, ratio: f64) -> Self {
        Self {
            inner,
            percent: ratio * 100.0,
        }
    }
}

impl ShouldSample for Rated {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let mut result =
            self.inner
                .should_sample(parent_context, trace_id, name, span_kind, attributes, links);
        if result.decision == SamplingDecision::RecordAndSample && self.percent < 100.0 {
            result
                .attributes
                .push(KeyValue::new(SAMPLE_RATE, self.percent));
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceState};

    use super::*;

    const LOW: TraceId = TraceId::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const HIGH: TraceId = TraceId::from_bytes([0xff; 16]);

    fn decide(
        variables: &[(&str, &str)],
        parent: Option<TraceFlags>,
        trace_id: TraceId,
    ) -> SamplingResult {
        let sampler = resolve(&|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        });
        let context = parent.map(|flags| {
            let span_id = SpanId::from_bytes([1; 8]);
            let parent = SpanContext::new(trace_id, span_id, flags, true, TraceState::default());
            Context::new().with_remote_span_context(parent)
        });
        sampler.should_sample(context.as_ref(), trace_id, "", &SpanKind::Server, &[], &[])
    }

    fn keeps(name: &str, parent: Option<TraceFlags>) -> bool {
        let variables = [(OTEL_TRACES_SAMPLER, name)];
        decide(&variables, parent, HIGH).decision == SamplingDecision::RecordAndSample
    }

    #[test]
    fn everything_is_kept_unless_told_otherwise() {
        for parent in [None, Some(TraceFlags::SAMPLED), Some(TraceFlags::default())] {
            assert_eq!(
                decide(&[], parent, HIGH).decision,
                SamplingDecision::RecordAndSample
            );
            assert!(keeps("always_on", parent));
            assert!(keeps("no_such_sampler", parent));
            assert!(!keeps("always_off", parent));
        }
    }

    #[test]
    fn parent_based_samplers_follow_the_parent() {
        for name in [
            "parentbased_always_on",
            "ParentBased_Always_Off",
            "parentbased_traceidratio",
        ] {
            assert!(keeps(name, Some(TraceFlags::SAMPLED)), "{name}");
            assert!(!keeps(name, Some(TraceFlags::default())), "{name}");
        }
        assert!(keeps("parentbased_always_on", None));
        assert!(!keeps("parentbased_always_off", None));
    }

    #[test]
    fn a_ratio_is_written_on_what_is_kept() {
        let variables = [
            (OTEL_TRACES_SAMPLER, "traceidratio"),
            (OTEL_TRACES_SAMPLER_ARG, "0.25"),
        ];
        assert_eq!(
            decide(&variables, None, HIGH).decision,
            SamplingDecision::Drop
        );
        let kept = decide(&variables, None, LOW);
        assert_eq!(kept.decision, SamplingDecision::RecordAndSample);
        assert_eq!(kept.attributes, [KeyValue::new(SAMPLE_RATE, 25.0)]);
    }

    #[test]
    fn a_ratio_that_is_none_keeps_everything() {
        for argument in ["", "2", "-1", "NaN", "half"] {
            let variables = [
                (OTEL_TRACES_SAMPLER, "traceidratio"),
                (OTEL_TRACES_SAMPLER_ARG, argument),
            ];
            let kept = decide(&variables, None, HIGH);
            assert_eq!(
                kept.decision,
                SamplingDecision::RecordAndSample,
                "{argument}"
            );
            assert!(kept.attributes.is_empty());
        }
    }
}
