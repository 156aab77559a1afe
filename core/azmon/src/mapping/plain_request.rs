//! Writes the line of a usual request directly from its record, without attributes and an envelope.
//!
//! Invariant: the line of a record that [`PlainRequest::of`] accepts equals the serialised envelope of [`Mapper::map`].
//! The mapper handles all other records.

use std::borrow::Cow;

use opentelemetry::trace::{SpanId, SpanKind, Status, TraceId};
use opentelemetry::{KeyValue, Value};

use crate::envelope::{TimeSpan, limits};
use crate::instrument::direct::{EndedRequest, SpanFields};
use crate::instrument::{SpanRecord, semconv};
use crate::item::sample_rate;
use crate::json::{Clock, JsonLine};
use crate::mapping::keys::Key;
use crate::mapping::mapper::{COUNTED, COUNTED_REQUEST};
use crate::mapping::{Arena, Mapper, context, success, text};

/// Maximum number of attributes beside those of the request.
const MOST_ATTRIBUTES: usize = 16;
/// Maximum size of these attributes, in bytes. Even if JSON escapes every byte sixfold, the line is within its limit.
const MOST_BYTES: usize = 4_096;
/// Maximum length of each text that callers choose, in bytes. Such a text is never truncated.
const MOST_TEXT: usize = 512;

/// A request with the attributes of [`EndedRequest`], and others that no rule reads.
#[derive(Debug)]
pub(crate) struct PlainRequest<'a> {
    request: EndedRequest<'a>,
    span: &'a SpanFields,
    name: Cow<'a, str>,
    host: &'a str,
    port: u16,
    is_success: bool,
    sample_rate: Option<f64>,
}

impl<'a> PlainRequest<'a> {
    /// The request of a record; `None` if the mapper must handle it.
    pub(crate) fn of(record: &'a SpanRecord, mapper: &Mapper) -> Option<Self> {
        let request = record.request()?;
        let span = record.data();
        let facts = &request.facts;
        let (host, port) = semconv::server(facts.authority, facts.scheme)?;
        let is_plain = span.span_kind == SpanKind::Server
            && facts.original_method.is_none()
            && span.span_context.trace_id() != TraceId::INVALID
            && mapper.resource_json().len() < MOST_BYTES
            && span.events.is_empty()
            && span.links.is_empty()
            && !matches!(&span.status, Status::Error { description } if !description.is_empty())
            && is_plain_host(host)
            && port != 0
            && is_text(&facts.path)
            && facts.query.as_deref().is_none_or(is_text)
            && facts.route.is_none_or(|route| is_text(route.as_str()))
            && facts.user_agent.is_none_or(is_text)
            && request.error_type.is_none_or(is_text)
            && are_plain(request.attributes);
        if !is_plain {
            return None;
        }
        let name = match facts.route {
            Some(route) => route_name(facts.method, route.as_str(), &span.name),
            None => Cow::Borrowed(&*span.name),
        };
        if !is_text(&name) {
            return None;
        }
        let options = mapper.options();
        let code = request.status.unwrap_or(0);
        let is_success = success::is_request_success(&span.status, code, options);
        Some(Self {
            sample_rate: sample_rate::percent(record.rate(), None),
            span,
            name,
            host,
            port,
            is_success,
            request,
        })
    }

    /// The name of the operation.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        self.span.span_context.trace_id()
    }

    pub(crate) fn is_success(&self) -> bool {
        self.is_success
    }

    /// The sampling rate in percent; `None` for 100.
    pub(crate) fn sample_rate(&self) -> Option<f64> {
        self.sample_rate
    }

    fn is_synthetic(&self) -> bool {
        let agent = self.request.facts.user_agent;
        agent.is_some_and(context::is_availability_test)
    }

    /// Appends the line of the request.
    pub(crate) fn write(
        &self,
        mapper: &Mapper,
        clock: &mut Clock,
        arena: &Arena,
        to: &mut Vec<u8>,
    ) {
        let mut line = JsonLine::new(to);
        line.raw(r#"{"name":"Microsoft.ApplicationInsights.Request","time":""#);
        line.time(self.span.start_time, clock);
        line.raw(r#"","#);
        if let Some(rate) = self.sample_rate {
            line.raw(r#""sampleRate":"#);
            line.float(rate);
            line.raw(",");
        }
        line.raw(mapper.resource_json());
        self.write_tags(&mut line);
        self.write_data(&mut line);
        self.write_properties(mapper, arena, &mut line);
        line.raw("}}}}\n");
    }

    fn write_tags(&self, line: &mut JsonLine<'_>) {
        let facts = &self.request.facts;
        line.raw(r#","ai.operation.id":""#);
        line.hex(self.trace_id().to_bytes());
        line.raw(r#"","ai.operation.name":"#);
        line.text(&self.name);
        if self.is_synthetic() {
            line.raw(r#","ai.operation.syntheticSource":"True""#);
        }
        if let Some((address, _)) = facts.client() {
            line.raw(r#","ai.location.ip":""#);
            line.display(address.to_canonical());
            line.raw(r#"""#);
        }
        if let Some(agent) = facts.user_agent {
            line.raw(r#","ai.user.userAgent":"#);
            line.text(agent);
        }
        if self.span.parent_span_id != SpanId::INVALID {
            line.raw(r#","ai.operation.parentId":""#);
            line.hex(self.span.parent_span_id.to_bytes());
            line.raw(r#"""#);
        }
    }

    fn write_data(&self, line: &mut JsonLine<'_>) {
        line.raw(r#"},"data":{"baseType":"RequestData","baseData":{"ver":2,"id":""#);
        line.hex(self.span.span_context.span_id().to_bytes());
        line.raw(r#"","name":"#);
        line.text(&self.name);
        let duration = self.span.end_time.duration_since(self.span.start_time);
        line.raw(r#","duration":""#);
        line.display(TimeSpan(duration.unwrap_or_default()));
        line.raw(if self.is_success {
            r#"","success":true,"responseCode":""#
        } else {
            r#"","success":false,"responseCode":""#
        });
        line.integer(self.request.status.unwrap_or(0));
        line.raw(r#"","url":""#);
        self.write_url(line);
        line.raw(r#"","properties":{"#);
    }

    fn write_url(&self, line: &mut JsonLine<'_>) {
        let facts = &self.request.facts;
        line.raw(facts.scheme);
        line.raw("://");
        line.raw(self.host);
        if self.port != semconv::default_port(facts.scheme) {
            line.raw(":");
            line.integer(self.port);
        }
        if !facts.path.starts_with('/') {
            line.raw("/");
        }
        match facts.query.as_deref() {
            Some(query) => {
                let path = facts.path.split(['?', '#']).next();
                line.inner(path.unwrap_or_default());
                let query = query.trim_start_matches('?');
                line.raw(if query.is_empty() { "" } else { "?" });
                line.inner(query);
            }
            None => line.inner(&facts.path),
        }
    }

    /// In the order of the attributes, without those that became fields.
    fn write_properties(&self, mapper: &Mapper, arena: &Arena, line: &mut JsonLine<'_>) {
        let request = &self.request;
        let facts = &request.facts;
        if facts.route.is_none() {
            line.raw(r#""http.request.method":""#);
            line.raw(facts.method);
            line.raw(r#"","#);
        }
        if let Some((_, Some(port))) = facts.client() {
            line.raw(r#""client.port":""#);
            line.integer(port);
            line.raw(r#"","#);
        }
        if let Some(peer) = facts.peer {
            line.raw(r#""network.peer.address":""#);
            line.display(peer.ip().to_canonical());
            line.raw(r#"","network.peer.port":""#);
            line.integer(peer.port());
            line.raw(r#"","#);
        }
        line.raw(r#""network.protocol.name":"http""#);
        if let Some(version) = facts.version {
            line.raw(r#","network.protocol.version":""#);
            line.raw(version);
            line.raw(r#"""#);
        }
        if let Some(size) = facts.size() {
            line.raw(r#","http.request.body.size":""#);
            line.integer(size);
            line.raw(r#"""#);
        }
        for attribute in request.attributes {
            line.raw(",");
            line.text(attribute.key.as_str());
            line.raw(":");
            line.text(text::of(&attribute.value, arena));
        }
        if let Some(size) = request.response_size {
            line.raw(r#","http.response.body.size":""#);
            line.integer(size);
            line.raw(r#"""#);
        }
        if let Some(cancelled) = request.cancelled {
            line.raw(r#","azmon.cancelled":"#);
            line.text(cancelled);
        }
        if let Some(error_type) = request.error_type {
            line.raw(r#","error.type":"#);
            line.text(error_type);
        }
        if mapper.counts_spans() {
            line.raw(",");
            line.text(COUNTED);
            line.raw(":");
            line.text(COUNTED_REQUEST);
        }
    }
}

/// `METHOD route`, which usually equals the name of the span.
fn route_name<'a>(method: &str, route: &str, span_name: &'a str) -> Cow<'a, str> {
    let rest = span_name.strip_prefix(method);
    let is_same = rest.and_then(|rest| rest.strip_prefix(' ')) == Some(route);
    match is_same {
        true => Cow::Borrowed(span_name),
        false => Cow::Owned(format!("{method} {route}")),
    }
}

/// Whether a text is not empty and needs no truncation.
fn is_text(text: &str) -> bool {
    !text.is_empty() && text.len() <= MOST_TEXT
}

/// Whether a host needs neither brackets, escapes nor truncation.
fn is_plain_host(host: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    is_text(host) && host.bytes().all(is_plain)
}

/// Whether the attributes are few, short and distinct, and no rule reads any of them.
fn are_plain(attributes: &[KeyValue]) -> bool {
    if attributes.is_empty() {
        return true;
    }
    let names = || attributes.iter().map(|attribute| attribute.key.as_str());
    let is_another = |(place, name)| !names().take(place).any(|earlier| earlier == name);
    let size = attributes.iter().map(|attribute| {
        let value = match &attribute.value {
            Value::String(text) => text.as_str().len(),
            Value::Bool(_) | Value::I64(_) | Value::F64(_) => 32,
            _ => MOST_BYTES,
        };
        attribute.key.as_str().len() + value
    });
    attributes.len() <= MOST_ATTRIBUTES
        && size.sum::<usize>() < MOST_BYTES
        && names().all(is_plain_name)
        && names().enumerate().all(is_another)
}

/// Attributes with these prefixes may be among the request's own.
const OWN: [&str; 6] = ["azmon.", "client.", "error.", "http.", "network.", "_MS."];

fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= limits::KEY
        && Key::of(name).is_none()
        && !OWN.iter().any(|own| name.starts_with(own))
}
