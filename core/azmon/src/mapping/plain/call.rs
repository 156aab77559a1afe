use std::borrow::Cow;

use opentelemetry::Value;
use opentelemetry::trace::{SpanKind, TraceId};

use super::conditions::{is_plain_host, is_text};
use super::span::{PlainSpan, end, is_plain_end};
use crate::instrument::direct::{CallFacts, Ended};
use crate::instrument::{OperationName, SpanRecord, semconv};
use crate::json::{Clock, JsonLine};
use crate::mapping::mapper::COUNTED_DEPENDENCY;
use crate::mapping::{Arena, Mapper, dependency, http, success};

const KIND: &str = "RemoteDependency";

/// An outgoing call with the attributes of its [facts](CallFacts), the name of its operation, and others that no rule
/// reads.
#[derive(Debug)]
pub(crate) struct PlainCall<'a> {
    call: Ended<'a, CallFacts<'a>>,
    span: PlainSpan<'a>,
    operation_name: Option<&'a str>,
    url: Cow<'a, str>,
    /// Set if the name of the span has a template; otherwise the name is the method and the path of the URL.
    name: Option<&'a str>,
    target: &'a str,
    is_success: bool,
}

impl<'a> PlainCall<'a> {
    /// The call of a record; `None` if the mapper must handle it. `request_name` gives the name of the call's request,
    /// which applies if the record does not have it.
    pub(crate) fn of(
        record: &'a SpanRecord,
        mapper: &Mapper,
        request_name: impl FnOnce(TraceId) -> Option<&'a str>,
    ) -> Option<Self> {
        let mut call = record.call()?;
        let fields = record.data();
        let operation_name = take_operation_name(&mut call)
            .or_else(|| request_name(fields.span_context.trace_id()))
            .filter(|name| !name.is_empty());
        let target = target(&call.facts)?;
        let url = call.facts.url();
        let is_plain = fields.span_kind == SpanKind::Client
            && call.facts.original_method.is_none()
            && is_text(&url)
            && after_scheme(&url, call.facts.scheme).is_some()
            && is_text(&fields.name)
            && operation_name.is_none_or(is_text)
            && call
                .facts
                .template
                .is_none_or(|template| is_text(template.as_str()))
            && is_plain_end(&call);
        if !is_plain {
            return None;
        }
        let code = call.status.unwrap_or(0);
        Some(Self {
            span: PlainSpan::of(record, mapper)?,
            operation_name,
            url,
            name: http::is_templated(&fields.name, call.facts.method).then_some(&*fields.name),
            target,
            is_success: success::is_http_success(&fields.status, code, mapper.options()),
            call,
        })
    }

    pub(crate) fn is_success(&self) -> bool {
        self.is_success
    }

    /// Appends the line of the call.
    pub(crate) fn write(
        &self,
        mapper: &Mapper,
        clock: &mut Clock,
        arena: &Arena,
        to: &mut Vec<u8>,
    ) {
        let mut line = JsonLine::new(to);
        self.span.begin(KIND, mapper, clock, &mut line);
        if let Some(name) = self.operation_name {
            line.raw(r#","ai.operation.name":"#);
            line.text(name);
        }
        self.write_data(&mut line);
        self.write_properties(&mut line);
        let counted_by = mapper.counts_spans().then_some(COUNTED_DEPENDENCY);
        end(&self.call, counted_by, arena, &mut line);
    }

    fn path(&self) -> &str {
        let rest = after_scheme(&self.url, self.call.facts.scheme);
        rest.and_then(http::path_after_scheme).unwrap_or_default()
    }

    fn write_data(&self, line: &mut JsonLine<'_>) {
        self.span.begin_data(KIND, line);
        match self.name {
            Some(name) => line.text(name),
            None => {
                line.raw(r#"""#);
                line.raw(self.call.facts.method);
                line.raw(" ");
                line.inner(self.path());
                line.raw(r#"""#);
            }
        }
        line.raw(r#","resultCode":""#);
        line.integer(self.call.status.unwrap_or(0));
        line.raw(r#"","data":"#);
        line.text(&self.url);
        line.raw(r#","type":""#);
        line.raw(dependency::HTTP);
        line.raw(r#"","target":""#);
        line.raw(self.target);
        line.raw(r#"","duration":"#);
        self.span.duration(line);
        line.raw(if self.is_success {
            r#","success":true,"properties":{"#
        } else {
            r#","success":false,"properties":{"#
        });
    }

    /// In the order of the attributes, without those that became fields.
    fn write_properties(&self, line: &mut JsonLine<'_>) {
        let facts = &self.call.facts;
        line.raw(r#""url.scheme":""#);
        line.raw(facts.scheme);
        line.raw(r#"""#);
        if let Some(template) = facts.template {
            line.raw(r#","url.template":"#);
            line.text(template.as_str());
        }
        if let Some(size) = facts.size() {
            line.raw(r#","http.request.body.size":""#);
            line.integer(size);
            line.raw(r#"""#);
        }
        if facts.resend_count > 0 {
            line.raw(r#","http.request.resend_count":""#);
            line.integer(facts.resend_count);
            line.raw(r#"""#);
        }
    }
}

/// The name of the operation, which the span inherited from its context as its first attribute.
fn take_operation_name<'a>(call: &mut Ended<'a, CallFacts<'a>>) -> Option<&'a str> {
    let (first, rest) = call.attributes.split_first()?;
    let name = match &first.value {
        Value::String(name) if first.key.as_str() == OperationName::ATTRIBUTE => name.as_str(),
        _ => return None,
    };
    if !is_text(name) {
        return None;
    }
    call.attributes = rest;
    Some(name)
}

/// Host and port, without the default port of the scheme; `None` if they are not written as they are.
pub(crate) fn target<'a>(facts: &CallFacts<'a>) -> Option<&'a str> {
    let (host, port) = semconv::server(facts.authority, facts.scheme)?;
    if !is_plain_host(host) {
        return None;
    }
    if port == semconv::default_port(facts.scheme) {
        return Some(host);
    }
    let written = facts
        .authority
        .strip_prefix(host)?
        .strip_prefix(':')?
        .as_bytes();
    let is_canonical = written.first() != Some(&b'0') && written.iter().all(u8::is_ascii_digit);
    is_canonical.then_some(facts.authority)
}

fn after_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    url.strip_prefix(scheme)?.strip_prefix("://")
}
