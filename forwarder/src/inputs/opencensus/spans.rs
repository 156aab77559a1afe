//! Converts OpenCensus spans to OpenTelemetry spans, for the mapping.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::SystemTime;

use azmon::envelope::{Data, EventData, Measurements, Properties, SCHEMA_VERSION, tags};
use azmon::mapping::Arena;
use opentelemetry::trace::{
    Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, Key, KeyValue, Value};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use crate::inputs::names::Operation;
use crate::inputs::opencensus::http::Http;
use crate::inputs::opencensus::node::{Peer, Sender};
use crate::inputs::opencensus::shared::Shared;
use crate::proto::opencensus::proto::trace::v1 as oc;
use crate::proto::opencensus::proto::trace::v1::attribute_value::Value as Attribute;
use crate::proto::opencensus::proto::trace::v1::span::time_event;
use crate::sink::ReceivedItem;

/// Attributes that contain a statement as `<system>.query`, with OpenTelemetry's name of the system.
const QUERIES: [(&str, &str); 4] = [
    ("mysql.query", "mysql"),
    ("postgresql.query", "postgresql"),
    ("sqlalchemy.query", "other_sql"),
    ("pymongo.query", "mongodb"),
];

/// Reads the spans of a message. Also returns the number of spans that could not be read.
pub(super) fn read(
    shared: &Shared,
    sender: &Sender,
    spans: Vec<oc::Span>,
) -> (Vec<ReceivedItem>, u64) {
    let mut items = Vec::with_capacity(spans.len());
    let mut rejected = 0;
    let mut arena = Arena::new();
    for span in spans {
        let Some(span) = Reader::new(span).read() else {
            rejected += 1;
            continue;
        };
        let Some(span) = span else {
            continue;
        };
        let trace = span.span_context.trace_id();
        let is_request = span.span_kind == SpanKind::Server;
        let known = shared.names.of(trace, sender.id);
        let name = known.as_ref().map(|known| known.name.as_str());
        sender.mapper.map_span(&span, name, &arena, |envelope| {
            if is_request
                && matches!(envelope.data, Data::Request(_))
                && let Some(name) = envelope.tags.get(tags::OPERATION_NAME)
            {
                let operation = Operation {
                    name: name.clone().into_owned(),
                    sample_rate: None,
                };
                shared.names.remember(trace, sender.id, operation);
            }
            items.push(sender.item(envelope));
        });
        arena.reset();
    }
    (items, rejected)
}

/// The custom event with which LocalForwarder described a node.
pub(super) fn node_event(sender: &Sender, method: &str, peer: Peer) -> ReceivedItem {
    let mut properties = Properties::new();
    if let Some(peer) = peer {
        properties.insert("peer", peer.to_string());
    }
    if let Some(library) = &sender.node.library_info {
        properties.insert("oc_exporter_version", library.exporter_version.clone());
        properties.insert("lf_version", env!("CARGO_PKG_VERSION"));
    }
    let identifier = sender.node.identifier.as_ref();
    if let Some(start) = identifier.and_then(|identifier| identifier.start_timestamp) {
        properties.insert("process_start_ts", start.to_string());
    }
    for (key, value) in &sender.node.attributes {
        if properties.get(key).is_none() {
            properties.push(key.clone(), value.clone());
        }
    }
    let data = Data::Event(EventData {
        ver: SCHEMA_VERSION,
        name: Cow::Owned(format!("{method}.node")),
        properties,
        measurements: Measurements::new(),
    });
    sender.envelope(SystemTime::now(), data)
}

/// Converts one span. It removes the attributes that it handles.
struct Reader {
    span: oc::Span,
    attributes: BTreeMap<String, oc::AttributeValue>,
    out: Vec<KeyValue>,
}

impl Reader {
    fn new(mut span: oc::Span) -> Self {
        let attributes = span.attributes.take().unwrap_or_default();
        Self {
            span,
            attributes: attributes.attribute_map,
            out: Vec::new(),
        }
    }

    /// The span; `None` without valid ids, `Some(None)` for an excluded span.
    fn read(mut self) -> Option<Option<SpanData>> {
        let trace_id = trace_id(&self.span.trace_id)?;
        let own_id = span_id(&self.span.span_id)?;
        let kind = self.kind();
        let http = Http::take(|key| self.take_text(key));
        if kind != SpanKind::Server && http.is_own() {
            return Some(None);
        }
        let status = self.status();
        self.result_code(&http, &kind);
        http.write(&kind, |key, text| self.push(key, text));
        self.query();
        let mut events = SpanEvents::default();
        events.events = self.events();
        let mut links = SpanLinks::default();
        links.links = self.links();
        self.rest();
        let start = self.span.start_time.and_then(to_time);
        let end = self.span.end_time.and_then(to_time);
        let start_time = start.or(end).unwrap_or_else(SystemTime::now);
        let name = self.span.name.map(|name| name.value);
        Some(Some(SpanData {
            span_context: SpanContext::new(
                trace_id,
                own_id,
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: span_id(&self.span.parent_span_id).unwrap_or(SpanId::INVALID),
            parent_span_is_remote: self.span.same_process_as_parent_span == Some(false),
            span_kind: kind,
            name: Cow::Owned(name.unwrap_or_default()),
            start_time,
            end_time: end.unwrap_or(start_time),
            attributes: self.out,
            dropped_attributes_count: 0,
            events,
            links,
            status,
            instrumentation_scope: InstrumentationScope::default(),
        }))
    }

    /// The kind of the span: request, call or in-process work.
    fn kind(&mut self) -> SpanKind {
        if let Some(kind) = self.take_text("span.kind") {
            return if kind == "client" {
                SpanKind::Client
            } else {
                SpanKind::Server
            };
        }
        match self.span.kind() {
            oc::span::SpanKind::Server => SpanKind::Server,
            oc::span::SpanKind::Client => SpanKind::Client,
            oc::span::SpanKind::Unspecified => {
                if self.span.same_process_as_parent_span == Some(false) {
                    SpanKind::Server
                } else {
                    SpanKind::Internal
                }
            }
        }
    }

    fn status(&mut self) -> Status {
        let failed = matches!(
            self.attributes
                .get("error")
                .and_then(|value| value.value.as_ref()),
            Some(Attribute::BoolValue(true))
        );
        if matches!(
            self.attributes
                .get("error")
                .and_then(|value| value.value.as_ref()),
            Some(Attribute::BoolValue(_))
        ) {
            self.attributes.remove("error");
        }
        // A span without an error reports code 0, even if its HTTP status is a failure.
        match &self.span.status {
            _ if failed => Status::error(""),
            Some(status) if status.code != 0 => Status::error(""),
            Some(_) | None => Status::Unset,
        }
    }

    fn result_code(&mut self, http: &Http, kind: &SpanKind) {
        let Some(status) = self.span.status.take() else {
            return;
        };
        if http.status_code.is_none() {
            let key = match kind {
                SpanKind::Server => "microsoft.request.resultCode",
                _ => "microsoft.dependency.resultCode",
            };
            self.push(key, status.code.to_string());
        }
        if !status.message.is_empty() {
            self.push("statusDescription", status.message);
        }
    }

    /// Converts the statement attributes of integrations.
    fn query(&mut self) {
        for (key, system) in QUERIES {
            if let Some(query) = self.take_text(key) {
                self.push("db.system.name", system.to_owned());
                self.push("db.query.text", query);
                return;
            }
        }
        let is_sql = self
            .attributes
            .get("db.type")
            .is_some_and(|kind| text_of(kind).as_deref() == Some("sql"));
        if is_sql && let Some(vendor) = self.take_text("component") {
            self.push("db.system.name", vendor);
        }
    }

    fn events(&mut self) -> Vec<Event> {
        let received = self.span.time_events.take().unwrap_or_default();
        let fallback = self.span.start_time.and_then(to_time);
        let mut events: Vec<_> = received
            .time_event
            .into_iter()
            .filter_map(|event| {
                let time = event.time.and_then(to_time).or(fallback);
                let time = time.unwrap_or_else(SystemTime::now);
                Some(match event.value? {
                    time_event::Value::Annotation(annotation) => {
                        let attributes = annotation.attributes.unwrap_or_default();
                        let text = annotation.description.unwrap_or_default().value;
                        Event::new(text, time, to_attributes(attributes), 0)
                    }
                    time_event::Value::MessageEvent(message) => {
                        Event::new(message_text(&message), time, Vec::new(), 0)
                    }
                })
            })
            .collect();
        events.extend(self.exception());
        events
    }

    /// The exception event of an integration's error attributes.
    fn exception(&mut self) -> Option<Event> {
        let message = self.take_text("error.message")?;
        let names = [
            ("exception.message", Some(message)),
            ("exception.type", self.take_text("error.name")),
            ("exception.stacktrace", self.take_text("stacktrace")),
        ];
        let attributes = names
            .into_iter()
            .filter_map(|(key, text)| Some(KeyValue::new(key, text?)));
        let time = self
            .span
            .end_time
            .or(self.span.start_time)
            .and_then(to_time);
        Some(Event::new(
            "exception",
            time.unwrap_or_else(SystemTime::now),
            attributes.collect(),
            0,
        ))
    }

    fn links(&mut self) -> Vec<Link> {
        let received = self.span.links.take().unwrap_or_default();
        let mut links = Vec::with_capacity(received.link.len());
        for (number, link) in received.link.into_iter().enumerate() {
            let kind = match link.r#type() {
                oc::span::link::Type::Unspecified => None,
                oc::span::link::Type::ChildLinkedSpan => Some("ChildLinkedSpan"),
                oc::span::link::Type::ParentLinkedSpan => Some("ParentLinkedSpan"),
            };
            if let Some(kind) = kind {
                self.push(format!("link{number}_type"), kind.to_owned());
            }
            let attributes = to_attributes(link.attributes.unwrap_or_default());
            for attribute in attributes {
                let key = format!("link{number}_{}", attribute.key);
                self.out.push(KeyValue::new(key, attribute.value));
            }
            if let (Some(trace), Some(span)) = (trace_id(&link.trace_id), span_id(&link.span_id)) {
                let flags = TraceFlags::default();
                let context = SpanContext::new(trace, span, flags, true, TraceState::NONE);
                links.push(Link::new(context, Vec::new(), 0));
            }
        }
        links
    }

    /// Adds the remaining attributes, the tracestate, and the stack. The first value of a name is kept.
    fn rest(&mut self) {
        for (key, value) in std::mem::take(&mut self.attributes) {
            if let Some(value) = to_value(value) {
                self.out.push(KeyValue::new(Key::from(key), value));
            }
        }
        for entry in self.span.tracestate.take().unwrap_or_default().entries {
            self.push_new(entry.key, entry.value);
        }
        if let Some(stack) = self.span.stack_trace.take().as_ref().and_then(stack_text) {
            self.push_new("stackTrace".to_owned(), stack);
        }
    }

    fn push(&mut self, key: impl Into<Key>, text: String) {
        self.out.push(KeyValue::new(key, text));
    }

    fn push_new(&mut self, key: String, text: String) {
        if !self.out.iter().any(|known| known.key.as_str() == key) {
            self.push(key, text);
        }
    }

    fn take_text(&mut self, key: &str) -> Option<String> {
        self.attributes.remove(key).as_ref().and_then(text_of)
    }
}

fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    let id = TraceId::from_bytes(bytes.try_into().ok()?);
    (id != TraceId::INVALID).then_some(id)
}

fn span_id(bytes: &[u8]) -> Option<SpanId> {
    let id = SpanId::from_bytes(bytes.try_into().ok()?);
    (id != SpanId::INVALID).then_some(id)
}

/// Converts a time; `None` if it is out of range.
pub(super) fn to_time(time: prost_types::Timestamp) -> Option<SystemTime> {
    SystemTime::try_from(time).ok()
}

fn to_attributes(attributes: oc::span::Attributes) -> Vec<KeyValue> {
    attributes
        .attribute_map
        .into_iter()
        .filter_map(|(key, value)| Some(KeyValue::new(Key::from(key), to_value(value)?)))
        .collect()
}

fn to_value(value: oc::AttributeValue) -> Option<Value> {
    Some(match value.value? {
        Attribute::StringValue(text) => Value::String(text.value.into()),
        Attribute::IntValue(number) => Value::I64(number),
        Attribute::BoolValue(value) => Value::Bool(value),
        Attribute::DoubleValue(number) => Value::F64(number),
    })
}

fn text_of(value: &oc::AttributeValue) -> Option<String> {
    Some(match value.value.as_ref()? {
        Attribute::StringValue(text) => text.value.clone(),
        Attribute::IntValue(number) => number.to_string(),
        Attribute::BoolValue(value) => value.to_string(),
        Attribute::DoubleValue(number) => number.to_string(),
    })
}

/// LocalForwarder's text for a message that a span sent or received.
fn message_text(message: &time_event::MessageEvent) -> String {
    let kind = match message.r#type() {
        time_event::message_event::Type::Unspecified => "Unspecified",
        time_event::message_event::Type::Sent => "Sent",
        time_event::message_event::Type::Received => "Received",
    };
    let time_event::MessageEvent {
        id,
        compressed_size,
        uncompressed_size,
        ..
    } = message;
    format!(
        "MessageEvent. messageId: '{id}', type: '{kind}', compressed size: '{compressed_size}', \
         uncompressed size: '{uncompressed_size}'"
    )
}

/// One line for each frame.
fn stack_text(stack: &oc::StackTrace) -> Option<String> {
    let frames = stack.stack_frames.as_ref()?;
    let text = |text: &Option<oc::TruncatableString>| {
        text.as_ref()
            .map(|text| text.value.clone())
            .unwrap_or_default()
    };
    let mut lines = String::new();
    for frame in &frames.frame {
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            lines,
            "   at {} in {}:line {}",
            text(&frame.function_name),
            text(&frame.file_name),
            frame.line_number
        );
    }
    (!lines.is_empty()).then_some(lines)
}
