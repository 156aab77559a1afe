//! Every operation on a direct span yields the items that a span of the SDK would yield.

mod counted;
mod exchanges;
mod random_flag;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, SpanRef, Status, TraceContextExt, TraceFlags, TraceId,
    TraceState, TracerProvider,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use regex_lite::{Captures, Regex};

use super::DirectTracer;
use crate::instrument::direct::CountedFacts;
use crate::instrument::propagation::RemoteParent;
use crate::instrument::{
    DeferredAttributes, Identity, NewRecord, NewSpan, OperationName, SpanContent, SpanRecord,
    StartSpan, StartedSpan,
};
use crate::sampling::SamplingOverride;
use crate::testing::InMemoryDestination;
use crate::{Telemetry, TelemetryBuilder};

const START: SystemTime = UNIX_EPOCH;

fn end() -> SystemTime {
    START + Duration::from_secs(3)
}

#[derive(Debug, Clone)]
struct Content {
    is_late: bool,
}

impl SpanContent for Content {
    fn name(&self) -> Cow<'static, str> {
        "GET /".into()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = Vec::new();
        self.write(&mut attributes);
        attributes
    }

    fn record(&self, new: NewRecord) -> Box<SpanRecord> {
        match self.is_late {
            true => new.with_deferred(|| self.clone()),
            false => new.with(self.attributes()),
        }
    }

    fn counted(&self) -> Option<CountedFacts<'_>> {
        let facts = CountedFacts { user_agent: None };
        self.is_late.then_some(facts)
    }
}

impl DeferredAttributes for Content {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        attributes.push(KeyValue::new("http.request.method", "GET"));
        attributes.push(KeyValue::new("early", 1));
    }

    fn size(&self) -> usize {
        0
    }
}

fn new(content: &Content, kind: SpanKind) -> NewSpan<'_> {
    NewSpan {
        kind,
        started_at: START,
        remote_parent: None,
        links: Vec::new(),
        content,
    }
}

fn remote(sampled: bool) -> RemoteParent {
    let sampled = if sampled { "01" } else { "00" };
    let header = format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{sampled}");
    let headers = http::HeaderMap::from_iter([
        (
            http::HeaderName::from_static("traceparent"),
            header.parse().unwrap(),
        ),
        (
            http::HeaderName::from_static("tracestate"),
            "a=1".parse().unwrap(),
        ),
    ]);
    RemoteParent::from_headers(&headers).unwrap()
}

fn span_context(state: TraceState) -> SpanContext {
    SpanContext::new(
        TraceId::from(7),
        SpanId::from(8),
        TraceFlags::SAMPLED,
        false,
        state,
    )
}

/// The items of `work` with a tracer of the SDK, and with a direct one.
fn both(
    configure: impl Fn(TelemetryBuilder) -> TelemetryBuilder,
    work: impl Fn(&dyn StartSpan, &Content),
) -> [Vec<String>; 3] {
    let run = |is_ours: bool, is_late: bool| {
        let destination = InMemoryDestination::new();
        let builder = Telemetry::builder().destination(&destination);
        let telemetry = configure(builder).install_globally(false).build().unwrap();
        let scope = InstrumentationScope::builder("test").build();
        let tracer: Box<dyn StartSpan> = match is_ours {
            true => {
                let provider = telemetry.direct_provider().unwrap();
                Box::new(DirectTracer::new(provider))
            }
            false => Box::new(telemetry.tracer_provider().tracer_with_scope(scope)),
        };
        work(&*tracer, &Content { is_late });
        telemetry.force_flush().unwrap();
        let envelopes = destination.envelopes();
        let texts = envelopes
            .iter()
            .map(|envelope| serde_json::to_string(envelope).unwrap());
        without_chance(texts.collect())
    };
    [run(false, false), run(true, false), run(true, true)]
}

/// Replaces ids by their order of appearance, and removes times of collections and measured durations.
fn without_chance(texts: Vec<String>) -> Vec<String> {
    let now = Regex::new(r#""time":"20[^"]*"|"duration":"00:00:00[^"]*""#).unwrap();
    let ids = Regex::new(r"\b([0-9a-f]{32}|[0-9a-f]{16})\b").unwrap();
    let mut known = HashMap::new();
    let mut name = |found: &Captures<'_>| {
        let next = known.len();
        let number = *known.entry(found[0].to_owned()).or_insert(next);
        format!("id {number}")
    };
    // Of aggregates, only the duration that `end` gives is no chance.
    let aggregate = Regex::new(r#""(value|min|max|stdDev)":[-+.0-9e]+"#).unwrap();
    let given = |found: &Captures<'_>| match &found[0] {
        text if text.ends_with(":3000.0") => text.to_owned(),
        _ => "now".to_owned(),
    };
    let texts = texts.iter().map(|text| {
        let text = aggregate.replace_all(text, given);
        ids.replace_all(&now.replace(&text, "now"), &mut name)
            .into_owned()
    });
    texts.collect()
}

#[track_caller]
fn assert_same(
    configure: impl Fn(TelemetryBuilder) -> TelemetryBuilder,
    work: impl Fn(&dyn StartSpan, &Content),
) -> Vec<String> {
    let [sdk, early, late] = both(configure, work);
    assert_eq!(early, sdk);
    assert_eq!(late, sdk);
    sdk
}

fn done(started: &StartedSpan, work: impl Fn(SpanRef<'_>)) {
    work(started.context.span());
    started.context.span().end_with_timestamp(end());
}

#[test]
fn everything_that_is_done_to_a_span_arrives() {
    let sent = assert_same(
        |builder| builder,
        |tracer, content| {
            let context = Context::new().with_value(OperationName("GET /outer".into()));
            let context = context.with_value(Identity::new().user_id("ada"));
            let mut new = new(content, SpanKind::Server);
            new.links = vec![Link::new(span_context(TraceState::NONE), vec![], 0)];
            let started = tracer.start_span(new, &context);
            assert!(started.recorded_by.is_some() && started.context.span().is_recording());
            done(&started, |span| {
                span.set_attribute(KeyValue::new("http.response.status_code", 503));
                (0..9).for_each(|n| span.set_attribute(KeyValue::new(format!("more{n}"), n)));
                span.add_event_with_timestamp("happened", START, vec![KeyValue::new("k", "v")]);
                span.add_link(span_context(TraceState::NONE), vec![]);
                span.update_name("GET /renamed");
                span.set_status(Status::error("first"));
                span.set_status(Status::Unset);
            });
            let span = started.context.span();
            assert!(!span.is_recording());
            assert!(span.span_context().is_valid());
            span.set_attribute(KeyValue::new("too", "late"));
            span.update_name("too late");
            span.end_with_timestamp(end() + Duration::from_secs(9));
        },
    );
    assert_eq!(sent.len(), 2, "{sent:?}");
    for text in ["GET /renamed", "more8", "\"503\"", "ada", "00:00:03"] {
        assert!(sent.concat().contains(text), "{text}: {sent:?}");
    }
    assert!(!sent.concat().contains("late"));
}

#[test]
fn limits_of_the_environment_hold() {
    let limits = |name: &str| match name {
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT" => Some("5".to_owned()),
        "OTEL_SPAN_EVENT_COUNT_LIMIT" | "OTEL_SPAN_LINK_COUNT_LIMIT" => Some("1".to_owned()),
        _ => None,
    };
    let sent = assert_same(
        |builder| builder.environment(limits),
        |tracer, content| {
            let mut new = new(content, SpanKind::Client);
            let link = || Link::new(span_context(TraceState::NONE), vec![], 0);
            new.links = vec![link(), link()];
            let started = tracer.start_span(new, &Context::new());
            done(&started, |span| {
                (0..9).for_each(|n| span.set_attribute(KeyValue::new(format!("more{n}"), n)));
                for name in ["one", "two"] {
                    span.add_event_with_timestamp(name, START, vec![]);
                }
                span.add_link(span_context(TraceState::NONE), vec![]);
            });
        },
    );
    let all = sent.concat();
    assert!(all.contains("more2") && !all.contains("more3"), "{all}");
    assert!(all.contains("\"one\"") && !all.contains("\"two\""), "{all}");
}

#[test]
fn parents_of_all_sorts_are_inherited_from() {
    let state = TraceState::from_key_value([("a", "1")]).unwrap();
    let invalid = SpanContext::new(
        TraceId::INVALID,
        SpanId::from(1),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    );
    let contexts = [
        Context::new(),
        Context::new().with_remote_span_context(span_context(state)),
        Context::new().with_remote_span_context(invalid),
    ];
    for context in &contexts {
        for remote_parent in [None, Some(remote(true)), Some(remote(false))] {
            for kind in [SpanKind::Server, SpanKind::Client, SpanKind::Internal] {
                let sent = assert_same(
                    |builder| builder,
                    |tracer, content| {
                        let new = NewSpan {
                            remote_parent: remote_parent.clone(),
                            ..new(content, kind.clone())
                        };
                        let started = tracer.start_span(new, context);
                        let span = started.context.span().span_context().clone();
                        assert!(span.is_sampled() && !span.is_remote());
                        let mut headers = http::HeaderMap::new();
                        crate::instrument::propagation::inject(&started.context, &mut headers);
                        let state = headers.get("tracestate").cloned();
                        done(&started, |span| {
                            span.set_attribute(KeyValue::new("state", format!("{state:?}")));
                        });
                    },
                );
                assert_eq!(sent.len(), 1, "{sent:?}");
            }
        }
    }
}

#[test]
fn what_the_sampler_leaves_out_is_left_out_and_propagated_in_the_same_way() {
    for kind in [SpanKind::Server, SpanKind::Client] {
        for remote_parent in [None, Some(remote(true)), Some(remote(false))] {
            for metrics in [false, true] {
                let sent = assert_same(
                    |builder| builder.sampling_ratio(0.0).standard_metrics(metrics),
                    |tracer, content| {
                        let new = NewSpan {
                            remote_parent: remote_parent.clone(),
                            ..new(content, kind.clone())
                        };
                        let started = tracer.start_span(new, &Context::new());
                        assert_eq!(started.recorded_by.is_some(), metrics);
                        let span = started.context.span().span_context().clone();
                        assert!(span.is_valid() && !span.is_sampled());
                        if let Some(remote) = &remote_parent {
                            assert_eq!(span.trace_id(), remote.span_context().trace_id());
                            let stands_for_it = !metrics
                                && kind == SpanKind::Server
                                && !remote.span_context().is_sampled();
                            let is_its = span.span_id() == remote.span_context().span_id();
                            assert_eq!(is_its, stands_for_it);
                        }
                        done(&started, |_| {});
                    },
                );
                let name = if kind == SpanKind::Server {
                    "requests/"
                } else {
                    "dependencies/"
                };
                assert_eq!(sent.concat().contains(name), metrics, "{sent:?}");
                assert_eq!(sent.len(), usize::from(metrics));
            }
        }
    }
}

#[test]
fn an_override_sees_the_attributes() {
    for (value, expected) in [("1", 0), ("2", 1)] {
        let sent = assert_same(
            |builder| {
                let rule = SamplingOverride::new(0.0).attribute("early", value);
                builder.sampling_override(rule)
            },
            |tracer, content| {
                let started = tracer.start_span(new(content, SpanKind::Server), &Context::new());
                done(&started, |_| {});
            },
        );
        assert_eq!(sent.len(), expected);
    }
}

#[test]
fn the_rate_at_which_a_span_is_kept_is_told() {
    let sent = assert_same(
        |builder| builder.sampling_override(SamplingOverride::new(50.0)),
        |tracer, content| {
            // One of the traces that this rate keeps.
            let parent = span_context(TraceState::NONE);
            let context = Context::new().with_remote_span_context(parent);
            for _ in 0..2 {
                let started = tracer.start_span(new(content, SpanKind::Server), &context);
                done(&started, |_| {});
            }
        },
    );
    assert!(
        sent.iter().all(|text| text.contains("\"sampleRate\":50")),
        "{sent:?}"
    );
}

#[test]
fn failures_that_are_kept_bring_their_children() {
    let sent = assert_same(
        |builder| builder.sampling_ratio(0.0).keep_failures(),
        |tracer, content| {
            for status in [200, 500] {
                let request = tracer.start_span(new(content, SpanKind::Server), &Context::new());
                let call = tracer.start_span(new(content, SpanKind::Client), &request.context);
                done(&call, |_| {});
                done(&request, |span| {
                    span.set_attribute(KeyValue::new("http.response.status_code", status));
                });
            }
        },
    );
    assert_eq!(sent.len(), 2, "{sent:?}");
}

#[test]
fn nothing_starts_where_telemetry_is_suppressed_or_over() {
    assert_same(
        |builder| builder,
        |tracer, content| {
            let context = Context::new().with_telemetry_suppressed();
            let started = tracer.start_span(new(content, SpanKind::Client), &context);
            assert!(!started.recorded_by.is_some());
        },
    );
    let destination = InMemoryDestination::new();
    let builder = Telemetry::builder().destination(&destination);
    let telemetry = builder.install_globally(false).build().unwrap();
    let tracer = DirectTracer::new(telemetry.direct_provider().unwrap());
    let content = Content { is_late: true };
    let open = tracer.start_span(new(&content, SpanKind::Server), &Context::new());
    telemetry.shutdown(Duration::from_secs(5)).unwrap();
    let started = tracer.start_span(new(&content, SpanKind::Server), &Context::new());
    assert!(!started.recorded_by.is_some());
    done(&open, |_| {});
    let dropped = telemetry.dropped_items();
    assert_eq!(dropped.iter().map(|dropped| dropped.count).sum::<u64>(), 1);
}

#[test]
fn a_span_that_nobody_ends_ends_with_its_context() {
    let [sdk, early, late] = both(
        |builder| builder,
        |tracer, content| {
            drop(tracer.start_span(new(content, SpanKind::Server), &Context::new()));
        },
    );
    assert_eq!([sdk.len(), early.len(), late.len()], [1, 1, 1]);
}

#[test]
fn where_others_get_spans_or_decide_about_them_the_sdk_starts_them() {
    let telemetry = |configure: fn(TelemetryBuilder) -> TelemetryBuilder| {
        let builder = Telemetry::builder().destination(&InMemoryDestination::new());
        configure(builder).install_globally(false).build().unwrap()
    };
    let is_ours = |telemetry: Telemetry| telemetry.direct_provider().is_some();
    assert!(is_ours(telemetry(|builder| builder)));
    // A metric reader does not need spans.
    assert!(is_ours(telemetry(|builder| {
        builder.metric_reader(
            opentelemetry_sdk::metrics::PeriodicReader::builder(
                opentelemetry_sdk::metrics::InMemoryMetricExporter::default(),
            )
            .build(),
        )
    })));
    assert!(!is_ours(telemetry(|builder| {
        builder.sampler(opentelemetry_sdk::trace::Sampler::AlwaysOn)
    })));
    assert!(!is_ours(telemetry(|builder| {
        builder.span_processor(opentelemetry_sdk::trace::SimpleSpanProcessor::new(
            opentelemetry_sdk::trace::InMemorySpanExporter::default(),
        ))
    })));
}

#[test]
fn calls_of_a_request_that_an_override_leaves_out_are_left_out_whatever_its_caller_says() {
    for metrics in [false, true] {
        for remote_parent in [None, Some(remote(true)), Some(remote(false))] {
            let sent = both(
                |builder| {
                    let requests = SamplingOverride::new(0.0)
                        .telemetry_type(crate::sampling::TelemetryType::Request)
                        .attribute("http.request.method", "GET");
                    builder
                        .standard_metrics(metrics)
                        .performance_counters(false)
                        .sampling_override(requests)
                },
                |tracer, content| {
                    let new_request = NewSpan {
                        remote_parent: remote_parent.clone(),
                        ..new(content, SpanKind::Server)
                    };
                    let request = tracer.start_span(new_request, &Context::new());
                    let call = tracer.start_span(new(content, SpanKind::Client), &request.context);
                    let nested = tracer.start_span(new(content, SpanKind::Client), &call.context);
                    done(&nested, |_| {});
                    done(&call, |_| {});
                    done(&request, |_| {});
                },
            );
            let data = |text: &&String| !text.contains("\"MetricData\"");
            for sent in &sent {
                let left: Vec<_> = sent.iter().filter(data).collect();
                assert!(left.is_empty(), "{metrics} {remote_parent:?}: {left:?}");
            }
        }
    }
}
