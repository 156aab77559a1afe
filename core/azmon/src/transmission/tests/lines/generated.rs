//! Records of any content.

use std::time::{Duration, UNIX_EPOCH};

use fastrand::Rng;
use http::StatusCode;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Array, KeyValue, Value};

use crate::instrument::direct::{SpanRate, SpanStart};
use crate::instrument::http::{Ending, HttpEnd, Side};
use crate::instrument::{DeferredAttributes, NewRecord, SpanRecord};

/// One of a few values; the first one is the usual value.
pub(super) fn one<T: Clone>(random: &mut Rng, of: &[T]) -> T {
    let is_usual = random.u8(..) < 200;
    let place = if is_usual {
        0
    } else {
        random.usize(..of.len())
    };
    of[place].clone()
}

fn attribute(random: &mut Rng) -> KeyValue {
    let keys = [
        "app.user",
        "app.cart",
        "ü\"",
        "",
        "http.request.header.x",
        "client.port",
        "url.path",
        "enduser.id",
        "microsoft.request.name",
        "microsoft.request.resultCode",
        "error.type",
        "user_agent.synthetic.type",
        "azmon.cancelled",
        "_MS.ProcessedByMetricExtractors",
        "microsoft.sample_rate",
        "http.response.status_code",
        "microsoft.custom_measurements",
        "otel.status_description",
        "network.protocol.name",
    ];
    let mut keys = keys.map(str::to_owned).to_vec();
    keys.push("k".repeat(151));
    let values: [Value; 9] = [
        "value".into(),
        "".into(),
        "\u{1}\\\"".into(),
        7.into(),
        1.5.into(),
        f64::NAN.into(),
        true.into(),
        Value::Array(Array::I64(vec![1, 2])),
        "v".repeat(9_000).into(),
    ];
    let key = keys[random.usize(..keys.len())].clone();
    KeyValue::new(key, one(random, &values))
}

fn span_context(random: &mut Rng) -> SpanContext {
    let trace = one(random, &[random.clone().u128(..), 0]);
    SpanContext::new(
        TraceId::from(trace),
        SpanId::from(random.u64(..)),
        TraceFlags::SAMPLED,
        false,
        TraceState::NONE,
    )
}

/// Ends the span, mostly with a response.
fn end(random: &mut Rng, record: &mut SpanRecord, side: Side) {
    let status = one(random, &[200, 404, 500, 503, 304]);
    let status = (random.u8(..) > 5).then(|| StatusCode::from_u16(status).unwrap());
    let size = one(random, &[Some(23), None, Some(0), Some(u64::MAX)]);
    let endings = [
        Ending::Complete,
        Ending::Cancelled,
        Ending::Failed("timeout"),
        Ending::Panicked,
    ];
    let version = (side == Side::Client && random.bool()).then_some("1.1");
    let ended = HttpEnd::without_grpc(side, version, status, size, one(random, &endings));
    let took = Duration::from_nanos(one(random, &[1_234_567, 0, 86_400_000_000_000]));
    let started = record.data().start_time;
    let time = match random.u8(..) {
        0 => started - Duration::from_secs(1),
        _ => started + took,
    };
    record.end(time, (random.u8(..) > 2).then_some(ended));
}

/// A record that has ended. The first name and kind are the usual ones.
pub(super) fn record(
    random: &mut Rng,
    deferred: impl DeferredAttributes,
    names: &[&str],
    kinds: &[SpanKind],
    side: Side,
) -> Box<SpanRecord> {
    let mut names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    names.push("n".repeat(1_100));
    let count = one(random, &[0, 1, 3, 20]);
    let start = SpanStart {
        span_context: span_context(random),
        parent_span_id: SpanId::from(one(random, &[9, 0])),
        parent_span_is_remote: random.bool(),
        span_kind: one(random, kinds),
        name: one(random, &names).into(),
        start_time: UNIX_EPOCH + Duration::from_micros(random.u64(..1 << 51)),
        attributes: (0..count).map(|_| attribute(random)).collect(),
        links: Vec::new(),
        dropped_links_count: 0,
        rate: one(
            random,
            &[
                SpanRate::Percent(100.0),
                SpanRate::Percent(12.5),
                SpanRate::Unknown,
                SpanRate::Never,
            ],
        ),
        max_attributes: one(random, &[128, 128, 12]),
    };
    let mut record: Box<SpanRecord> = NewRecord::new(start).with_deferred(|| deferred);
    end(random, &mut record, side);
    let span = record.data_mut();
    let time = span.start_time;
    match random.u8(..) {
        0..=5 => span.events = vec![Event::new("event", time, Vec::new(), 0)],
        6..=10 => span.links = vec![Link::new(span_context(random), Vec::new(), 0)],
        11..=15 => span.status = Status::Ok,
        16..=20 => span.status = Status::error("why"),
        21..=25 => span.status = Status::error(""),
        _ => {}
    }
    record
}

/// A span that has ended with a response, as most do.
pub(super) fn usual(
    deferred: impl DeferredAttributes,
    name: &'static str,
    kind: SpanKind,
    side: Side,
) -> Box<SpanRecord> {
    let start = SpanStart {
        span_context: SpanContext::new(
            TraceId::from(7),
            SpanId::from(8),
            TraceFlags::SAMPLED,
            false,
            TraceState::NONE,
        ),
        parent_span_id: SpanId::from(9),
        parent_span_is_remote: true,
        span_kind: kind,
        name: name.into(),
        start_time: UNIX_EPOCH + Duration::from_micros(1_700_000_000_123_456),
        attributes: Vec::new(),
        links: Vec::new(),
        dropped_links_count: 0,
        rate: SpanRate::Percent(100.0),
        max_attributes: 128,
    };
    let mut record: Box<SpanRecord> = NewRecord::new(start).with_deferred(|| deferred);
    let status = Some(StatusCode::OK);
    let version = (side == Side::Client).then_some("1.1");
    let ended = HttpEnd::without_grpc(side, version, status, Some(23), Ending::Complete);
    record.end(
        UNIX_EPOCH + Duration::from_micros(1_700_000_000_125_000),
        Some(ended),
    );
    record
}
