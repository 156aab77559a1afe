use std::borrow::Cow;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Method, StatusCode, Version};
use http_body::Body;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue, StringValue};

use super::end_rules::{EndRules, EndedExchange};
use super::instruments::Measured;
use super::labels::{EndLabels, Labels};
use super::metrics::{HttpMetrics, Measuring};
use crate::direct::{self, RecordedBy};
use crate::semconv::{
    Ending, GrpcStatus, HttpEnd, ResponseStatus, RpcMethod, Side, attribute, is_grpc_type,
    note_grpc_method, outcome, parse_content_length, protocol_version,
};

/// One exchange of a request and a response that is being recorded.
///
/// It ends exactly once: [`Exchange::end`] consumes it. A dropped exchange ends as [`Ending::Cancelled`], or as
/// [`Ending::Unread`] if its body was never polled. The end records the metrics and ends the span.
#[derive(Debug)]
pub struct Exchange {
    side: Side,
    context: Context,
    recorded_by: RecordedBy,
    started: Instant,
    started_at: SystemTime,
    /// `None` if metrics are off.
    measuring: Option<Measuring>,
    version: Option<Version>,
    request_size: Option<u64>,
    rules: EndRules,
    caller: u64,
    has_route: bool,
    late_method: Option<&'static str>,
    /// The gRPC method that the caller names, if no service has answered it before.
    claimed_rpc: Option<Box<str>>,
    is_head: bool,
    is_connect: bool,
    is_grpc: bool,
    is_body_asked_for: bool,
    has_ended: bool,
    response: ResponseStatus,
    expected_size: Option<u64>,
    seen_size: u64,
}

/// The inputs of an [`Exchange`].
#[derive(Debug)]
pub struct NewExchange<'a> {
    /// The recorded side.
    pub side: Side,
    /// The method of the request.
    pub method: &'a Method,
    /// The context whose active span is the span of the exchange.
    pub context: Context,
    /// The backend that records the span; without one, only metrics are recorded.
    pub recorded_by: RecordedBy,
    /// The monotonic start, for durations.
    pub started: Instant,
    /// The start of the span.
    pub started_at: SystemTime,
    /// The instruments and their labels, if metrics are on.
    pub metrics: Option<(&'a Arc<HttpMetrics>, Labels<'a>)>,
    /// The HTTP version, if the request tells it.
    pub version: Option<Version>,
    /// The size of the request's body in bytes, if it is known.
    pub request_size: Option<u64>,
    /// The application's rules about the end.
    pub rules: &'a EndRules,
    /// On a server, the span id of the caller's `traceparent`; 0 without one.
    pub caller: u64,
    /// Whether the route, or the template, is known.
    pub has_route: bool,
    /// The method for the span's name if the route becomes known later; `None` if the name is final.
    pub late_method: Option<&'static str>,
    /// The gRPC method that the caller names, if no service has answered it before.
    pub claimed_rpc: Option<&'a str>,
}

/// The rest of a body, at its start or after a frame.
#[derive(Debug, Clone, Copy)]
pub struct Rest {
    /// Whether the body reports its end.
    pub is_end: bool,
    /// The number of bytes of data that are left, if known.
    pub bytes: Option<u64>,
}

impl Rest {
    /// Reads the state of a body.
    #[must_use]
    pub fn of<B: Body>(body: &B) -> Self {
        Self {
            is_end: body.is_end_stream(),
            bytes: body.size_hint().exact(),
        }
    }
}

impl Exchange {
    /// Starts an exchange, which counts as active from now on.
    #[must_use]
    #[inline]
    pub fn start(new: NewExchange<'_>) -> Self {
        Self {
            side: new.side,
            context: new.context,
            recorded_by: new.recorded_by,
            started: new.started,
            started_at: new.started_at,
            measuring: new.metrics.map(|(metrics, labels)| metrics.start(labels)),
            version: new.version,
            request_size: new.request_size,
            rules: new.rules.clone(),
            caller: new.caller,
            has_route: new.has_route,
            late_method: new.late_method,
            claimed_rpc: new.claimed_rpc.map(Into::into),
            is_head: *new.method == Method::HEAD,
            is_connect: *new.method == Method::CONNECT,
            is_grpc: false,
            is_body_asked_for: false,
            has_ended: false,
            response: ResponseStatus::default(),
            expected_size: None,
            seen_size: 0,
        }
    }

    /// The recorded side.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// The span id of the caller, or 0.
    #[must_use]
    pub(super) fn caller(&self) -> u64 {
        self.caller
    }

    /// The context in which the code of the exchange runs.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Whether it has ended.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Whether the span records attributes.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recorded_by.is_some()
    }

    /// Whether a span or metrics record the exchange.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.is_recording() || self.measuring.is_some()
    }

    /// Whether the route, or the template, is known.
    #[must_use]
    pub fn has_route(&self) -> bool {
        self.has_route
    }

    /// The method for the span's name, if the route may still become known.
    #[must_use]
    pub fn late_method(&self) -> Option<&'static str> {
        self.late_method
    }

    /// Sets the route of a server's span, and the span's name that contains it, when they become known late.
    pub fn set_route(&mut self, route: StringValue, name: Option<Cow<'static, str>>) {
        self.has_route = true;
        if self.is_recording() && self.recorded_by != RecordedBy::Counter {
            let span = self.context.span();
            span.set_attribute(KeyValue::new(attribute::HTTP_ROUTE, route.clone()));
            if let Some(name) = name {
                span.update_name(name);
            }
        }
        if let Some(measuring) = &mut self.measuring {
            measuring.set_route(route);
        }
    }

    /// Adds the attributes that `write` pushes to the span. `write` is not called if the span records no attributes.
    pub fn add_attributes(&self, write: impl FnOnce(&mut Vec<KeyValue>)) {
        if !self.is_recording() {
            return;
        }
        let mut attributes = Vec::new();
        write(&mut attributes);
        if !attributes.is_empty() {
            self.context.span().set_attributes(attributes);
        }
    }

    /// Sets the HTTP version, which a client learns from the response.
    pub fn set_version(&mut self, version: Version) {
        self.version = Some(version);
    }

    /// Reads the head of the response.
    pub fn on_response(&mut self, status: StatusCode, headers: &HeaderMap) {
        // One pass takes less than two look-ups.
        let (mut content_type, mut content_length) = (None, None);
        for (name, value) in headers {
            if *name == CONTENT_TYPE {
                content_type.get_or_insert(value);
            } else if *name == CONTENT_LENGTH {
                content_length.get_or_insert(value);
            }
        }
        self.is_grpc = content_type.is_some_and(is_grpc_type);
        if self.is_grpc {
            self.response.http = Some(status);
            self.response.grpc = GrpcStatus::from_headers(headers);
        } else {
            self.on_plain_response(status, content_length.and_then(parse_content_length));
        }
    }

    /// Records the head of a response that is not gRPC, and the size of its body in bytes, if known.
    pub fn on_plain_response(&mut self, status: StatusCode, size: Option<u64>) {
        self.response.http = Some(status);
        self.expected_size = size;
    }

    /// Returns the ending if the exchange ends with the head of the response: the body is empty, or the following bytes
    /// are not HTTP (RFC 9110, sections 6.4.1, 7.8 and 9.3.6).
    #[must_use]
    pub fn ending_at_head(&self, rest: Rest) -> Option<Ending<'static>> {
        let status = self.response.http?;
        let has_no_body = self.has_no_body(status)
            || status == StatusCode::SWITCHING_PROTOCOLS
            || self.is_connect && status.is_success();
        if has_no_body {
            return Some(Ending::AtHeaders);
        }
        let is_empty = rest.is_end
            || !self.awaits_trailers() && (rest.bytes == Some(0) || self.expected_size == Some(0));
        is_empty.then_some(Ending::Complete)
    }

    /// Notes that the body of the response is polled.
    pub fn on_body_asked_for(&mut self) {
        self.is_body_asked_for = true;
    }

    /// Counts data of the response's body.
    ///
    /// Returns true for the last data: the announced size is reached, or the body reports its end. A reader that knows
    /// the end may not poll again.
    #[must_use]
    pub fn on_data(&mut self, bytes: usize, rest: Rest) -> bool {
        self.seen_size = self.seen_size.saturating_add(bytes as u64);
        let is_whole = self
            .expected_size
            .is_some_and(|expected| self.seen_size >= expected);
        rest.is_end || is_whole || rest.bytes == Some(0) && !self.awaits_trailers()
    }

    /// Ends the exchange.
    pub fn end(mut self, ending: Ending<'_>) {
        self.end_in_place(ending);
    }

    /// Ends the exchange and keeps its context usable. Does nothing if the exchange has ended.
    pub fn end_in_place(&mut self, ending: Ending<'_>) {
        let has_ended = mem::replace(&mut self.has_ended, true);
        if has_ended || !self.is_observed() {
            return;
        }
        if let (true, Ending::Trailers(trailers)) = (self.is_grpc, ending) {
            self.response.grpc = GrpcStatus::from_headers(trailers).or(self.response.grpc);
        }
        let elapsed = self.started.elapsed();
        let response_size = self.response_size(ending);
        let mut outcome = outcome(
            self.side,
            self.response,
            ending,
            self.rules.cancellation_is_error,
        );
        if !self.rules.is_empty() {
            self.apply_rules(&mut outcome, response_size, elapsed, ending);
        }
        let version = self.version.and_then(protocol_version);
        if let Some(measuring) = self.measuring.take() {
            let measured = Measured {
                elapsed,
                request_size: self.request_size,
                response_size,
            };
            let ended = EndLabels {
                version,
                status: self.response.http,
                error_type: outcome.error_type.as_ref(),
            };
            measuring.end(ended, measured);
        }
        if self.is_recording() {
            let end = HttpEnd {
                version: version.filter(|_| self.side == Side::Client),
                response: self.response,
                response_size,
                outcome,
                rpc_method: self.take_rpc_method(),
            };
            let ended_at = self.started_at.checked_add(elapsed);
            self.end_span(end, ended_at.unwrap_or(self.started_at));
        }
    }

    /// Lets the application classify the exchange, and then observe its end.
    #[cold]
    fn apply_rules(
        &self,
        outcome: &mut crate::semconv::Outcome,
        response_size: Option<u64>,
        duration: Duration,
        ending: Ending<'_>,
    ) {
        let ended = |outcome: &crate::semconv::Outcome| EndedExchange {
            context: self.context.clone(),
            status: self.response.http,
            grpc_status: self.response.grpc,
            error_type: outcome.error_type.clone(),
            is_cancelled: outcome.cancelled.is_some(),
            is_panic: matches!(ending, Ending::Panicked),
            response_size,
            duration,
        };
        if let Some(is_success) = self.rules.classify(|| ended(outcome)) {
            outcome.overrule(is_success, self.response);
        }
        let attributes = self.rules.tell_end(|| ended(outcome));
        if self.is_recording() && !attributes.is_empty() {
            self.context.span().set_attributes(attributes);
        }
    }

    /// Takes the gRPC method, if it was unknown at the start. A gRPC response other than `UNIMPLEMENTED` proves it.
    fn take_rpc_method(&mut self) -> Option<RpcMethod> {
        let claimed = self.claimed_rpc.take()?;
        let is_answered = self.is_grpc
            && self
                .response
                .grpc
                .is_some_and(|status| !status.is_unimplemented());
        if !is_answered {
            return Some(RpcMethod::Other(claimed));
        }
        let method = note_grpc_method(claimed);
        if self.late_method.is_some() {
            self.context.span().update_name(match &method {
                RpcMethod::Known(name) => Cow::Borrowed(*name),
                RpcMethod::Unkept(name) | RpcMethod::Other(name) => Cow::Owned(name.to_string()),
            });
        }
        Some(method)
    }

    fn end_span(&self, end: HttpEnd, ended_at: SystemTime) {
        let span = self.context.span();
        if self.recorded_by.is_direct() {
            return direct::end(&span, end, ended_at);
        }
        end.set_on(&span);
        span.end_with_timestamp(ended_at);
    }

    fn has_no_body(&self, status: StatusCode) -> bool {
        self.is_head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }

    /// Whether the gRPC status is still to come, in trailers: the head did not have it.
    fn awaits_trailers(&self) -> bool {
        self.is_grpc && self.response.grpc.is_none()
    }

    /// The response's size, if the body ended here or its size was announced. The announced size of a response without
    /// a body, such as one to HEAD, does not count.
    fn response_size(&self, ending: Ending<'_>) -> Option<u64> {
        let status = self.response.http?;
        match ending {
            Ending::Complete | Ending::Trailers(_) => Some(self.seen_size),
            Ending::AtHeaders if !self.has_no_body(status) => self.expected_size,
            _ => None,
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        let ending = if self.response.http.is_some() && !self.is_body_asked_for {
            Ending::Unread
        } else {
            Ending::Cancelled
        };
        // This drop may be part of unwinding, and a second panic would abort the process.
        let _ = catch_unwind(AssertUnwindSafe(|| self.end_in_place(ending)));
    }
}
