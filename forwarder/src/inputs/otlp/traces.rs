//! OTLP spans: requests and dependencies, with exceptions and messages from their events.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, Envelope, tags};
use azmon::mapping::Arena;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::inputs::budget::Held;
use crate::inputs::names::Operation;
use crate::inputs::otlp::attributes::to_attributes;
use crate::inputs::otlp::read::{Read, Rejected, Room};
use crate::inputs::otlp::resource::KnownResource;
use crate::inputs::otlp::shared::Shared;
use crate::sink::{Batch, Refusal};

/// The span flags for the location of the parent.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// The attribute that passes a sample rate, in percent, to the mapping.
const SAMPLE_RATE: &str = "microsoft.sample_rate";
/// Attributes that already contain a sample rate.
const SAMPLE_RATES: [&str; 2] = [SAMPLE_RATE, "_MS.sampleRate"];

/// Reads a message with spans.
pub(super) fn read(
    shared: &Shared,
    mut request: ExportTraceServiceRequest,
    held: Option<&Held>,
) -> Result<Read, Refusal> {
    let mut room = Room::new();
    let lists = request.resource_spans.iter_mut();
    lists
        .flat_map(|resource| &mut resource.scope_spans)
        .for_each(|scope| room.keep(&mut scope.spans));
    let mut read = Read {
        batches: Vec::new(),
        rejected: room.close(held)?,
    };
    for ResourceSpans {
        resource,
        scope_spans,
        ..
    } in request.resource_spans
    {
        let resource = shared.resources.of(resource);
        let spans = to_spans(scope_spans, &mut read.rejected);
        let items = map(shared, &resource, &spans);
        read.batches
            .push(Batch::new(resource.attributes.clone(), items));
    }
    Ok(read)
}

fn map(
    shared: &Shared,
    resource: &KnownResource,
    spans: &[SpanData],
) -> Vec<crate::sink::ReceivedItem> {
    let mut arena = Arena::new();
    let mut items = Vec::with_capacity(spans.len());
    // Requests first: they name the operation of the other spans.
    let (requests, others): (Vec<_>, Vec<_>) = spans.iter().partition(|span| is_request(span));
    for span in requests {
        let trace = span.span_context.trace_id();
        resource.mapper.map_span(span, None, &arena, |envelope| {
            remember(shared, trace, resource.id, &envelope);
            items.push(resource.item(envelope));
        });
        arena.reset();
    }
    for span in others {
        let operation = shared.names.of(span.span_context.trace_id(), resource.id);
        let name = operation.as_ref().map(|operation| operation.name.as_str());
        resource.mapper.map_span(span, name, &arena, |envelope| {
            items.push(resource.item(envelope));
        });
        arena.reset();
    }
    items
}

fn is_request(span: &SpanData) -> bool {
    matches!(span.span_kind, SpanKind::Server | SpanKind::Consumer)
}

fn remember(shared: &Shared, trace: TraceId, service: u64, envelope: &Envelope<'_>) {
    if matches!(envelope.data, Data::Request(_))
        && let Some(name) = envelope.tags.get(tags::OPERATION_NAME)
    {
        let operation = Operation {
            name: name.clone().into_owned(),
            sample_rate: envelope.sample_rate,
        };
        shared.names.remember(trace, service, operation);
    }
}

fn to_spans(scopes: Vec<ScopeSpans>, rejected: &mut Rejected) -> Vec<SpanData> {
    let mut spans = Vec::with_capacity(scopes.iter().map(|scope| scope.spans.len()).sum());
    for ScopeSpans {
        scope,
        spans: of_scope,
        ..
    } in scopes
    {
        let scope = scope.map(to_scope).unwrap_or_default();
        for span in of_scope {
            match to_span(span, &scope) {
                Some(span) => spans.push(span),
                None => rejected.add("a span has no valid trace id or span id"),
            }
        }
    }
    spans
}

/// A span; `None` without valid ids.
fn to_span(span: Span, scope: &InstrumentationScope) -> Option<SpanData> {
    let trace_id = trace_id(&span.trace_id).filter(|id| *id != TraceId::INVALID)?;
    let own_id = span_id(&span.span_id).filter(|id| *id != SpanId::INVALID)?;
    let trace_state: TraceState = span.trace_state.parse().unwrap_or_default();
    let mut attributes = to_attributes(span.attributes);
    if let Some(percent) = sampled_percent(&trace_state)
        && !attributes
            .iter()
            .any(|attribute| SAMPLE_RATES.contains(&attribute.key.as_str()))
    {
        attributes.push(KeyValue::new(SAMPLE_RATE, percent));
    }
    let mut events = SpanEvents::default();
    events.events = span.events.into_iter().map(to_event).collect();
    events.dropped_count = span.dropped_events_count;
    let mut links = SpanLinks::default();
    links.links = span.links.into_iter().filter_map(to_link).collect();
    links.dropped_count = span.dropped_links_count;
    let start_time = time(span.start_time_unix_nano);
    Some(SpanData {
        span_context: SpanContext::new(
            trace_id,
            own_id,
            TraceFlags::new((span.flags & 0xff) as u8 | TraceFlags::SAMPLED.to_u8()),
            false,
            trace_state,
        ),
        parent_span_id: span_id(&span.parent_span_id).unwrap_or(SpanId::INVALID),
        parent_span_is_remote: span.flags & HAS_IS_REMOTE != 0 && span.flags & IS_REMOTE != 0,
        span_kind: kind(span.kind),
        name: Cow::Owned(span.name),
        start_time,
        end_time: match span.end_time_unix_nano {
            0 => start_time,
            end => time(end),
        },
        attributes,
        dropped_attributes_count: span.dropped_attributes_count,
        events,
        links,
        status: match span.status {
            Some(status) if status.code == StatusCode::Ok as i32 => Status::Ok,
            Some(status) if status.code == StatusCode::Error as i32 => {
                Status::error(status.message)
            }
            Some(_) | None => Status::Unset,
        },
        instrumentation_scope: scope.clone(),
    })
}

fn kind(kind: i32) -> SpanKind {
    match span::SpanKind::try_from(kind) {
        Ok(span::SpanKind::Server) => SpanKind::Server,
        Ok(span::SpanKind::Client) => SpanKind::Client,
        Ok(span::SpanKind::Producer) => SpanKind::Producer,
        Ok(span::SpanKind::Consumer) => SpanKind::Consumer,
        Ok(span::SpanKind::Internal | span::SpanKind::Unspecified) | Err(_) => SpanKind::Internal,
    }
}

fn to_event(event: span::Event) -> Event {
    Event::new(
        event.name,
        time(event.time_unix_nano),
        to_attributes(event.attributes),
        event.dropped_attributes_count,
    )
}

/// Converts a link; `None` without valid ids.
fn to_link(link: span::Link) -> Option<Link> {
    let context = SpanContext::new(
        trace_id(&link.trace_id)?,
        span_id(&link.span_id)?,
        TraceFlags::new((link.flags & 0xff) as u8),
        false,
        link.trace_state.parse().unwrap_or_default(),
    );
    context.is_valid().then(|| {
        Link::new(
            context,
            to_attributes(link.attributes),
            link.dropped_attributes_count,
        )
    })
}

pub(super) fn to_scope(
    scope: opentelemetry_proto::tonic::common::v1::InstrumentationScope,
) -> InstrumentationScope {
    InstrumentationScope::builder(scope.name)
        .with_version(scope.version)
        .with_attributes(to_attributes(scope.attributes))
        .build()
}

/// A trace id from 16 bytes.
pub(super) fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    bytes.try_into().ok().map(TraceId::from_bytes)
}

/// A span id from 8 bytes.
pub(super) fn span_id(bytes: &[u8]) -> Option<SpanId> {
    bytes.try_into().ok().map(SpanId::from_bytes)
}

/// A time from nanoseconds since 1970.
pub(super) fn time(nanoseconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanoseconds)
}

/// The share of kept spans in percent, from the entry `ot` of the trace state. `th` is the rejection threshold
/// for a 56-bit random number, without trailing zeros. See OpenTelemetry's specification, "TraceState:
/// Probability Sampling".
fn sampled_percent(state: &TraceState) -> Option<f64> {
    const DIGITS: usize = 14;
    let fields = state.get("ot")?.split(';');
    let threshold = fields
        .filter_map(|field| field.split_once(':'))
        .find_map(|(key, value)| (key == "th").then_some(value))?;
    let is_valid = (1..=DIGITS).contains(&threshold.len())
        && threshold.bytes().all(|digit| digit.is_ascii_hexdigit());
    let number = u64::from_str_radix(threshold, 16)
        .ok()
        .filter(|_| is_valid)?;
    let rejected = number << (4 * (DIGITS - threshold.len()));
    let all = 1_u64 << (4 * DIGITS);
    let percent = (all - rejected) as f64 / all as f64 * 100.0;
    (percent < 100.0).then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_of_the_trace_state_is_a_percentage() {
        for (state, percent) in [
            ("ot=th:c", Some(25.0)),
            ("ot=th:8", Some(50.0)),
            (
                "ot=rv:abcdef12345678;th:fd70a4",
                Some(100.0 * (1.0 - 0xfd70a4 as f64 / 0x1000000 as f64)),
            ),
            ("ot=th:0", None),
            ("ot=th:", None),
            ("ot=th:123456789abcdef", None),
            ("ot=th:+1", None),
            ("vendor=1", None),
        ] {
            let state: TraceState = state.parse().unwrap();
            assert_eq!(sampled_percent(&state), percent, "{state:?}");
        }
    }

    #[test]
    fn ids_of_another_length_are_none() {
        assert_eq!(trace_id(&[1; 15]), None);
        assert_eq!(span_id(&[]), None);
        assert_eq!(span_id(&[0; 8]), Some(SpanId::INVALID));
    }
}
