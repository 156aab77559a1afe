//! The random flag of a trace is passed on as it came, through spans of both tracers.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::trace::{SpanKind, TraceContextExt, Tracer, TracerProvider};

use super::{Content, new};
use crate::Telemetry;
use crate::instrument::direct::StartSpan;
use crate::instrument::propagation::{RemoteParent, inject};
use crate::instrument::{NewSpan, exclude::without_spans};
use crate::testing::InMemoryDestination;
use crate::tracer::DirectTracer;

const IDS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";

fn parent(flags: &str) -> RemoteParent {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", format!("{IDS}{flags}").parse().unwrap());
    RemoteParent::from_headers(&headers).unwrap()
}

/// The flags that a call inside `context` sends.
fn sent(context: &Context) -> String {
    let mut headers = HeaderMap::new();
    inject(context, &mut headers);
    assert_eq!(headers.get("tracestate"), None);
    headers["traceparent"].to_str().unwrap()[IDS.len()..].to_owned()
}

#[test]
fn every_span_below_a_request_passes_on_its_random_flag() {
    for (ratio, counts, sampled) in [(1.0, true, 1), (0.0, true, 0), (0.0, false, 0)] {
        let telemetry = Telemetry::builder()
            .destination(&InMemoryDestination::new())
            .sampling_ratio(ratio)
            .standard_metrics(counts)
            .install_globally(false)
            .build()
            .unwrap();
        let direct = DirectTracer::new(telemetry.direct_provider().unwrap());
        let sdk = telemetry.tracer_provider().tracer("test");
        for (received, random) in [
            (None, 2),
            (Some("00"), 0),
            (Some("01"), 0),
            (Some("02"), 2),
            (Some("03"), 2),
        ] {
            for is_late in [false, true] {
                let content = Content { is_late };
                let request = NewSpan {
                    remote_parent: received.map(parent),
                    ..new(&content, SpanKind::Server)
                };
                let mut context = direct.start_span(request, &Context::new()).context;
                let expected = format!("{:02x}", random | sampled);
                for level in 0..3 {
                    assert_eq!(
                        sent(&context),
                        expected,
                        "{received:?} {ratio} {counts} {level}"
                    );
                    let manual = context.with_span(sdk.start_with_context("manual", &context));
                    assert_eq!(
                        sent(&manual),
                        expected,
                        "{received:?} {ratio} {counts} {level}"
                    );
                    context = direct
                        .start_span(new(&content, SpanKind::Client), &manual)
                        .context;
                }
            }
        }
    }
}

#[test]
fn an_excluded_request_passes_on_its_random_flag() {
    for (received, expected) in [("01", "00"), ("03", "02")] {
        let context = without_spans(&Context::new(), Some(parent(received)));
        assert_eq!(sent(&context), expected);
    }
}
