//! The comparison of both ways of writing a line.

use std::collections::BTreeMap;
use std::sync::Arc;

use opentelemetry::trace::{Event, Status};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use serde::Deserialize;

use crate::instrument::SpanRecord;
use crate::item::{Item, ItemCounters, SpanView};
use crate::mapping::{
    Arena, Mapper, MappingOptions, PlainCall, PlainRequest, RequestDimensions, StandardDimensions,
};
use crate::telemetry_processor::{ItemDecision, TelemetryProcessors};
use crate::transmission::encoder::Encoder;

/// Optimised builds compare all records, other builds a tenth of them.
const RECORDS: u64 = if cfg!(debug_assertions) {
    10_000
} else {
    100_000
};

pub(super) struct Comparison {
    mapper: Mapper,
    /// Writes lines directly.
    straight: Encoder,
    /// Has a processor, which needs envelopes.
    through: Encoder,
}

impl Comparison {
    pub(super) fn new() -> Self {
        let counters = || Arc::new(ItemCounters::default());
        let mut seeing = TelemetryProcessors::default();
        seeing.add(|_| ItemDecision::Keep);
        Self {
            mapper: mapper(),
            straight: Encoder::new(counters(), TelemetryProcessors::default()),
            through: Encoder::new(counters(), seeing),
        }
    }

    /// Compares the lines of a record, and its dimensions. Returns whether the line is written straight.
    pub(super) fn compare(&mut self, make: impl Fn() -> Box<SpanRecord>) -> bool {
        let mapper = &self.mapper;
        let encode = |encoder: &mut Encoder| {
            let mut item = Item::Span(make());
            encoder.counters().take([item.label()]);
            encoder.add_taken(mapper, &mut item);
            encoder.take_lines()
        };
        let (straight, through) = (encode(&mut self.straight), encode(&mut self.through));
        assert_eq!(straight, through, "{:?}", make());
        let record = make();
        let mut text = itoa::Buffer::new();
        let options = mapper.options();
        let at_once = match RequestDimensions::of_record(&record, options) {
            Some(request) => Some(request.into()),
            None => StandardDimensions::of_call(&record, options, &mut text),
        };
        if let Some(at_once) = at_once {
            let mut completed = make();
            completed.complete();
            let arena = Arena::new();
            let expected = mapper.standard_dimensions(SpanView::of(&completed), &arena);
            assert_eq!(at_once, expected, "{completed:?}");
        }
        PlainRequest::of(&record, mapper).is_some()
            || PlainCall::of(&record, mapper, |_| None).is_some()
    }

    /// Compares the records of many numbers.
    pub(super) fn all_generated(mut self, record: fn(u64) -> Box<SpanRecord>) {
        let straight = (0..RECORDS)
            .filter(|number| self.compare(|| record(*number)))
            .count() as u64;
        // The test proves nothing if too few lines are written directly, or if rare cases are absent.
        assert!(
            (RECORDS / 10..RECORDS / 2).contains(&straight),
            "{straight}"
        );
    }

    /// Compares a usual record on which the golden attributes are set.
    pub(super) fn all_golden(mut self, usual: fn() -> Box<SpanRecord>) {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/mapping.json"
        );
        let golden: Golden = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert!(golden.spans.len() > 50);
        for GoldenSpan { case, input } in golden.spans {
            let attributes = input.attributes.iter().filter_map(|(key, value)| {
                let value: Value = match value {
                    serde_json::Value::String(text) => text.clone().into(),
                    serde_json::Value::Bool(is) => (*is).into(),
                    serde_json::Value::Number(number) => match number.as_i64() {
                        Some(number) => number.into(),
                        None => number.as_f64()?.into(),
                    },
                    // The golden data write long texts so.
                    serde_json::Value::Object(_) => "x".repeat(9_000).into(),
                    _ => return None,
                };
                Some(KeyValue::new(key.clone(), value))
            });
            let attributes: Vec<_> = attributes.collect();
            // All together, and each by itself: one that decides must not hide another.
            let single = attributes.iter().map(|one| vec![one.clone()]);
            for set in single.chain([attributes.clone()]) {
                let make = || {
                    let mut record = usual();
                    let span = record.data_mut();
                    span.name = match input.name.as_str() {
                        Some(name) => name.to_owned().into(),
                        None => "n".repeat(1_100).into(),
                    };
                    span.status = match (&*input.status.code, &input.status.message) {
                        ("OK", _) => Status::Ok,
                        ("ERROR", message) => Status::error(message.clone().unwrap_or_default()),
                        _ => Status::Unset,
                    };
                    for _ in &input.events {
                        let event = Event::new("event", span.start_time, Vec::new(), 0);
                        span.events.push(event);
                    }
                    set.iter().for_each(|one| record.set(one.clone()));
                    record
                };
                self.compare(make);
            }
            assert!(self.compare(usual), "{case}");
        }
    }
}

fn mapper() -> Mapper {
    let resource = Resource::builder_empty()
        .with_service_name("shop \"1\"")
        .with_attribute(KeyValue::new("service.version", "1.2"))
        .build();
    let options = MappingOptions::default()
        .role_instance("one")
        .client_errors_are_failures(false);
    Mapper::new("key", &resource, options).with_standard_metrics(true)
}

#[derive(Debug, Deserialize)]
struct Golden {
    spans: Vec<GoldenSpan>,
}

#[derive(Debug, Deserialize)]
struct GoldenSpan {
    case: String,
    input: GoldenInput,
}

#[derive(Debug, Deserialize)]
struct GoldenInput {
    name: serde_json::Value,
    attributes: BTreeMap<String, serde_json::Value>,
    status: GoldenStatus,
    events: Vec<serde_json::Value>,
}

#[derive(Debug, Deserialize)]
struct GoldenStatus {
    code: String,
    message: Option<String>,
}
