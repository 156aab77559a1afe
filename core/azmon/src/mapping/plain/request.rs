use std::borrow::Cow;

use opentelemetry::trace::{SpanKind, TraceId};

use super::conditions::{is_plain_host, is_text};
use super::span::{PlainSpan, end, is_plain_end};
use crate::instrument::direct::{Ended, RequestFacts};
use crate::instrument::{SpanRecord, semconv};
use crate::json::{Clock, JsonLine};
use crate::mapping::mapper::COUNTED_REQUEST;
use crate::mapping::{Arena, Mapper, context, success};

const KIND: &str = "Request";

/// A request with the attributes of its [facts](RequestFacts), and others that no rule reads.
#[derive(Debug)]
pub(crate) struct PlainRequest<'a> {
    request: Ended<'a, RequestFacts<'a>>,
    span: PlainSpan<'a>,
    name: Cow<'a, str>,
    host: &'a str,
    port: u16,
    is_success: bool,
}

impl<'a> PlainRequest<'a> {
    /// The request of a record; `None` if the mapper must handle it.
    pub(crate) fn of(record: &'a SpanRecord, mapper: &Mapper) -> Option<Self> {
        let request = record.request()?;
        let fields = record.data();
        let facts = &request.facts;
        let (host, port) = semconv::server(facts.authority, facts.scheme)?;
        let is_plain = fields.span_kind == SpanKind::Server
            && facts.original_method.is_none()
            && request.version.is_none()
            && is_plain_host(host)
            && port != 0
            && is_text(&facts.path)
            && facts.query.as_deref().is_none_or(is_text)
            && facts.route.is_none_or(|route| is_text(route.as_str()))
            && facts.user_agent.is_none_or(is_text)
            && is_plain_end(&request);
        if !is_plain {
            return None;
        }
        let span = PlainSpan::of(record, mapper)?;
        let name = match facts.route {
            Some(route) => route_name(facts.method, route.as_str(), &fields.name),
            None => Cow::Borrowed(&*fields.name),
        };
        if !is_text(&name) {
            return None;
        }
        let code = request.status.unwrap_or(0);
        Some(Self {
            is_success: success::is_http_success(&fields.status, code, mapper.options()),
            span,
            name,
            host,
            port,
            request,
        })
    }

    /// The name of the operation.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn trace_id(&self) -> TraceId {
        self.span.trace_id()
    }

    pub(crate) fn is_success(&self) -> bool {
        self.is_success
    }

    /// The sampling rate in percent; `None` for 100.
    pub(crate) fn sample_rate(&self) -> Option<f64> {
        self.span.sample_rate()
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
        self.span.begin(KIND, mapper, clock, &mut line);
        self.write_tags(&mut line);
        self.write_data(&mut line);
        self.write_properties(&mut line);
        let counted_by = mapper.counts_spans().then_some(COUNTED_REQUEST);
        end(&self.request, counted_by, arena, &mut line);
    }

    fn write_tags(&self, line: &mut JsonLine<'_>) {
        let facts = &self.request.facts;
        line.raw(r#","ai.operation.name":"#);
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
    }

    fn write_data(&self, line: &mut JsonLine<'_>) {
        self.span.begin_data(KIND, line);
        line.text(&self.name);
        line.raw(r#","duration":"#);
        self.span.duration(line);
        line.raw(if self.is_success {
            r#","success":true,"responseCode":""#
        } else {
            r#","success":false,"responseCode":""#
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
    fn write_properties(&self, line: &mut JsonLine<'_>) {
        let facts = &self.request.facts;
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
    }
}

/// `METHOD route`, which usually equals the name of the span.
fn route_name<'a>(method: &str, route: &str, span_name: &'a str) -> Cow<'a, str> {
    let rest = span_name.strip_prefix(method);
    let is_same = rest.and_then(|rest| rest.strip_prefix(' ')) == Some(route);
    if is_same {
        Cow::Borrowed(span_name)
    } else {
        Cow::Owned(format!("{method} {route}"))
    }
}
