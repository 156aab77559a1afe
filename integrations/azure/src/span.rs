//! One span of the Azure SDK, backed by an OpenTelemetry span.

use std::any::Any;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};

use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::{self, Method, Request};
use azure_core::tracing::{
    AsAny, AttributeArray, AttributeValue, Span, SpanGuard, SpanKind, SpanStatus,
};
use opentelemetry::propagation::Injector;
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry::{Array, Context, ContextGuard, KeyValue, StringValue, Value, global};

const CANCELLED: &str = "azmon.cancelled";
const ERROR_TYPE: &str = "error.type";
const STATUS_CODE: &str = "http.response.status_code";
const NOT_FOUND: i64 = 404;

/// A span of one SDK call, or of one HTTP request that the call sends.
///
/// It ends once, with [`Span::end`] or on drop. A drop means that the call was cancelled.
#[derive(Debug)]
pub(crate) struct AzureSpan {
    /// The caller's context with this span as the active one.
    context: Context,
    role: Role,
    state: Mutex<State>,
}

/// The operation that a span covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// An SDK call, which sends HTTP requests.
    Call {
        /// Whether the call checks the existence of a resource.
        asks_for_existence: bool,
    },
    /// An HTTP request.
    Request {
        /// Whether 404 is a success for this request.
        missing_is_success: bool,
    },
}

#[derive(Debug, Default)]
struct State {
    error_type: Option<String>,
    has_ended: bool,
    has_status: bool,
    status_code: Option<i64>,
}

impl AzureSpan {
    /// `context` contains the span.
    pub(crate) fn new(context: Context, role: Role) -> Self {
        Self {
            context,
            role,
            state: Mutex::default(),
        }
    }

    /// The context in which this span is the active one.
    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    /// Whether the span's call checks the existence of a resource.
    pub(crate) fn asks_for_existence(&self) -> bool {
        matches!(
            self.role,
            Role::Call {
                asks_for_existence: true
            }
        )
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the response is a 404 that counts as a success.
    fn found_nothing(&self, state: &State) -> bool {
        let missing_is_success = Role::Request {
            missing_is_success: true,
        };
        self.role == missing_is_success && state.status_code == Some(NOT_FOUND)
    }

    /// Sets the status that the SDK leaves unset. For a request without a response, the SDK sets only the error
    /// type.
    fn complete_status(&self, state: &State) {
        let is_request = matches!(self.role, Role::Request { .. });
        if self.found_nothing(state) {
            self.context.span().set_status(Status::Ok);
        } else if is_request
            && !state.has_status
            && state.status_code.is_none()
            && let Some(error_type) = &state.error_type
        {
            let status = Status::error(error_type.clone());
            self.context.span().set_status(status);
        }
    }
}

impl Span for AzureSpan {
    fn is_recording(&self) -> bool {
        self.context.span().is_recording()
    }

    fn span_id(&self) -> [u8; 8] {
        self.context.span().span_context().span_id().to_bytes()
    }

    fn end(&self) {
        let mut state = self.state();
        if !state.has_ended {
            state.has_ended = true;
            self.complete_status(&state);
            self.context.span().end();
        }
    }

    fn set_status(&self, status: SpanStatus) {
        let SpanStatus::Error { description } = status else {
            return;
        };
        let mut state = self.state();
        if !self.found_nothing(&state) {
            state.has_status = true;
            self.context.span().set_status(Status::error(description));
        }
    }

    fn set_attribute(&self, key: &'static str, value: AttributeValue) {
        let mut state = self.state();
        match (key, &value) {
            (STATUS_CODE, AttributeValue::I64(code)) => state.status_code = Some(*code),
            (ERROR_TYPE, _) if self.found_nothing(&state) => return,
            (ERROR_TYPE, AttributeValue::String(name)) => state.error_type = Some(name.clone()),
            _ => {}
        }
        self.context.span().set_attribute(key_value(key, value));
    }

    /// Records the text of the error. The queries of its URLs are removed, since they contain signatures.
    fn record_error(&self, error: &dyn Error) {
        let message = KeyValue::new("exception.message", without_queries(&error.to_string()));
        self.context.span().add_event("exception", vec![message]);
    }

    fn set_current(&self, _context: &http::Context<'_>) -> Box<dyn SpanGuard> {
        Box::new(Current {
            _guard: self.context.clone().attach(),
        })
    }

    /// Injects headers with the global propagator, unless telemetry is suppressed.
    fn propagate_headers(&self, request: &mut Request) {
        if !self.context.is_telemetry_suppressed() {
            global::get_text_map_propagator(|propagator| {
                propagator.inject_context(&self.context, &mut RequestInjector(request));
            });
        }
    }
}

impl AsAny for AzureSpan {
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Drop for AzureSpan {
    fn drop(&mut self) {
        let has_ended = self.state().has_ended;
        if !has_ended {
            let span = self.context.span();
            span.set_attribute(KeyValue::new(CANCELLED, "before_headers"));
            span.end();
        }
    }
}

/// Whether the method is `HEAD`, which only checks existence.
pub(crate) fn is_head(method: &str) -> bool {
    method == Method::Head.as_str()
}

/// Keeps the span active until it is dropped.
struct Current {
    _guard: ContextGuard,
}

impl SpanGuard for Current {
    fn end(self) {}
}

/// Lets a propagator write the headers of a request.
struct RequestInjector<'a>(&'a mut Request);

impl Injector for RequestInjector<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = HeaderName::from(key.to_ascii_lowercase());
        self.0.insert_header(name, HeaderValue::from(value));
    }
}

/// Converts an attribute of the SDK to an OpenTelemetry attribute.
pub(crate) fn key_value(key: impl Into<opentelemetry::Key>, value: AttributeValue) -> KeyValue {
    KeyValue::new(key, otel_value(value))
}

fn otel_value(value: AttributeValue) -> Value {
    match value {
        AttributeValue::Bool(value) => Value::Bool(value),
        AttributeValue::I64(value) => Value::I64(value),
        AttributeValue::F64(value) => Value::F64(value),
        AttributeValue::String(value) => Value::String(value.into()),
        AttributeValue::Array(AttributeArray::Bool(values)) => Value::Array(Array::Bool(values)),
        AttributeValue::Array(AttributeArray::I64(values)) => Value::Array(Array::I64(values)),
        AttributeValue::Array(AttributeArray::F64(values)) => Value::Array(Array::F64(values)),
        AttributeValue::Array(AttributeArray::String(values)) => {
            let values = values.into_iter().map(StringValue::from).collect();
            Value::Array(Array::String(values))
        }
        // For kinds that later versions of the SDK add.
        other => Value::String(format!("{other:?}").into()),
    }
}

/// Replaces the query of every URL in a text.
fn without_queries(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, query)) = rest.split_once('?') {
        let is_url = before
            .rsplit([' ', '"', '\'', '(', '<'])
            .next()
            .is_some_and(|word| word.contains("://"));
        kept += before;
        kept.push('?');
        rest = query;
        if is_url {
            kept += "REDACTED";
            let end = query
                .find([' ', '"', '\'', ')', '>'])
                .unwrap_or(query.len());
            rest = query.get(end..).unwrap_or_default();
        }
    }
    kept + rest
}

/// Whether the name of a call says that it checks existence: the SDK's `exists` methods call `get_properties`,
/// which is a GET for containers.
pub(crate) fn asks_for_existence(name: &str) -> bool {
    let method = name.rsplit('.').next().unwrap_or_default();
    ["exists", "getProperties", "get_properties"].contains(&method)
}

/// Converts the span kind to OpenTelemetry's.
pub(crate) fn otel_kind(kind: &SpanKind) -> opentelemetry::trace::SpanKind {
    use opentelemetry::trace::SpanKind as Otel;
    match kind {
        SpanKind::Client => Otel::Client,
        SpanKind::Server => Otel::Server,
        SpanKind::Producer => Otel::Producer,
        SpanKind::Consumer => Otel::Consumer,
        // `Internal`, and kinds that later versions of the SDK add.
        _ => Otel::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_keep_their_types() {
        let strings = AttributeArray::String(vec!["a".to_owned(), "b".to_owned()]);
        for (value, expected) in [
            (AttributeValue::from(true), Value::Bool(true)),
            (AttributeValue::from(7_i64), Value::I64(7)),
            (AttributeValue::from(0.5), Value::F64(0.5)),
            (AttributeValue::from("a"), Value::from("a")),
            (vec![true].into(), Value::Array(vec![true].into())),
            (vec![7_i64].into(), Value::Array(vec![7_i64].into())),
            (vec![0.5].into(), Value::Array(vec![0.5].into())),
            (
                AttributeValue::Array(strings),
                Value::Array(vec![StringValue::from("a"), "b".into()].into()),
            ),
        ] {
            assert_eq!(otel_value(value), expected);
        }
    }

    #[test]
    fn queries_of_urls_are_left_out_of_texts() {
        for (text, expected) in [
            ("", ""),
            ("what?", "what?"),
            ("a?b c", "a?b c"),
            (
                "sending (http://h/p?sig=s&a=b): refused",
                "sending (http://h/p?REDACTED): refused",
            ),
            (
                "\"https://a/?x\" or https://b/?y",
                "\"https://a/?REDACTED\" or https://b/?REDACTED",
            ),
            ("http://h/é?ü", "http://h/é?REDACTED"),
        ] {
            assert_eq!(without_queries(text), expected);
        }
    }

    #[test]
    fn calls_that_ask_for_existence_are_known_by_their_names() {
        for name in [
            "Storage.Blob.BlobContainerClient.getProperties",
            "KeyVault.exists",
            "get_properties",
        ] {
            assert!(asks_for_existence(name), "{name}");
        }
        for name in ["", "Storage.Blob.BlobClient.download", "exists.delete"] {
            assert!(!asks_for_existence(name), "{name}");
        }
    }
}
