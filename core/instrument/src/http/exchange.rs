use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::{HeaderMap, Method, StatusCode, Version};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue, StringValue};

use super::labels::{EndLabels, Labels};
use super::metrics::{HttpMetrics, Measured, Measuring};
use crate::direct::{self, Recording};
use crate::semconv::{
    Answer, Ended, Ending, GrpcStatus, Side, attribute, content_length, is_grpc, outcome,
    protocol_version,
};

/// One exchange of a request and a response that is being recorded.
///
/// It ends exactly once: [`Exchange::end`] consumes it, and one that is dropped was [`Ending::Cancelled`].
/// Ending records the metrics and ends the span.
///
/// It is large: whoever moves it often boxes it.
#[derive(Debug)]
pub struct Exchange {
    side: Side,
    context: Context,
    recording: Recording,
    started: Instant,
    started_at: SystemTime,
    /// If metrics are on.
    measuring: Option<Measuring>,
    version: Option<Version>,
    request_size: Option<u64>,
    cancellation_is_error: bool,
    has_route: bool,
    late_method: Option<&'static str>,
    is_head: bool,
    is_connect: bool,
    is_grpc: bool,
    has_ended: bool,
    answer: Answer,
    expected_size: Option<u64>,
    seen_size: u64,
}

/// What an [`Exchange`] starts with.
#[derive(Debug)]
pub struct NewExchange<'a> {
    /// The side that is recorded.
    pub side: Side,
    /// The method of the request.
    pub method: &'a Method,
    /// The context whose active span is that of the exchange.
    pub context: Context,
    /// What that span records by; if by nothing, only metrics are.
    pub recording: Recording,
    /// When it started: for durations, which no change of the clock may touch.
    pub started: Instant,
    /// When it started: for the span.
    pub started_at: SystemTime,
    /// The instruments, and what they measure it by, if metrics are on.
    pub metrics: Option<(&'a Arc<HttpMetrics>, Labels<'a>)>,
    /// The version of HTTP, if it is known by the request.
    pub version: Option<Version>,
    /// The size of the request's body in bytes, if it is known.
    pub request_size: Option<u64>,
    /// Whether an exchange that was cancelled is an error.
    pub cancellation_is_error: bool,
    /// Whether its route, or template, is known.
    pub has_route: bool,
    /// The method by which a route that becomes known late names the span; `None` if its name is final.
    pub late_method: Option<&'static str>,
}

impl Exchange {
    /// Starts one. It counts as active from here on.
    #[must_use]
    #[inline]
    pub fn start(new: NewExchange<'_>) -> Self {
        Self {
            side: new.side,
            context: new.context,
            recording: new.recording,
            started: new.started,
            started_at: new.started_at,
            measuring: new.metrics.map(|(metrics, labels)| metrics.start(labels)),
            version: new.version,
            request_size: new.request_size,
            cancellation_is_error: new.cancellation_is_error,
            has_route: new.has_route,
            late_method: new.late_method,
            is_head: *new.method == Method::HEAD,
            is_connect: *new.method == Method::CONNECT,
            is_grpc: false,
            has_ended: false,
            answer: Answer::default(),
            expected_size: None,
            seen_size: 0,
        }
    }

    /// The context to run in whatever belongs to the exchange.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Whether the span records attributes.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording.is_on()
    }

    /// Whether anything is recorded of it, be it by the span or by metrics.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        self.is_recording() || self.measuring.is_some()
    }

    /// Whether a route, or template, is known.
    #[must_use]
    pub fn has_route(&self) -> bool {
        self.has_route
    }

    /// The method to name the span by if its route becomes known now.
    #[must_use]
    pub fn late_method(&self) -> Option<&'static str> {
        self.late_method
    }

    /// Gives the span of a server its route, and the name that has it in it, when they become known late.
    pub fn set_route(&mut self, route: StringValue, name: Option<Cow<'static, str>>) {
        self.has_route = true;
        if self.is_recording() {
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

    /// Adds the attributes that `write` says to the span; if that records none, `write` is not asked.
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

    /// Takes note of the version of HTTP, which a client knows by the response.
    pub fn set_version(&mut self, version: Version) {
        self.version = Some(version);
    }

    /// Takes note of the head of the response.
    pub fn on_response(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.is_grpc = is_grpc(headers);
        if self.is_grpc {
            self.answer.status = Some(status);
            self.answer.grpc_status = GrpcStatus::from_headers(headers);
        } else {
            self.on_plain_response(status, content_length(headers));
        }
    }

    /// Takes note of the head of a response that is not one of gRPC, and of the size of its body in bytes, if
    /// that is known.
    pub fn on_plain_response(&mut self, status: StatusCode, size: Option<u64>) {
        self.answer.status = Some(status);
        self.expected_size = size;
    }

    /// Whether the exchange ends with the head of the response: it has no body, or what follows is not HTTP
    /// (RFC 9110, sections 6.4.1, 7.8 and 9.3.6).
    #[must_use]
    pub fn ends_at_headers(&self) -> bool {
        let Some(status) = self.answer.status else {
            return false;
        };
        self.has_no_body(status)
            || status == StatusCode::SWITCHING_PROTOCOLS
            || self.is_connect && status.is_success()
    }

    /// Takes note of data of the response's body.
    ///
    /// True when the announced size is reached: nobody may ask for more after that.
    #[must_use]
    pub fn on_data(&mut self, bytes: usize) -> bool {
        self.seen_size = self.seen_size.saturating_add(bytes as u64);
        self.expected_size
            .is_some_and(|expected| self.seen_size >= expected)
    }

    /// Ends the exchange.
    pub fn end(mut self, ending: Ending<'_>) {
        self.end_in_place(ending);
    }

    /// Ends the exchange, of which the context is still wanted. Does nothing if it has ended.
    pub fn end_in_place(&mut self, ending: Ending<'_>) {
        let has_ended = mem::replace(&mut self.has_ended, true);
        if has_ended || !self.is_observed() {
            return;
        }
        if let (true, Ending::Trailers(trailers)) = (self.is_grpc, ending) {
            self.answer.grpc_status =
                GrpcStatus::from_headers(trailers).or(self.answer.grpc_status);
        }
        let outcome = outcome(self.side, self.answer, ending, self.cancellation_is_error);
        let response_size = self.response_size(ending);
        let elapsed = self.started.elapsed();
        let version = self.version.and_then(protocol_version);
        if let Some(measuring) = self.measuring.take() {
            let measured = Measured {
                elapsed,
                request_size: self.request_size,
                response_size,
            };
            let ended = EndLabels {
                version,
                status: self.answer.status,
                error_type: outcome.error_type.as_ref(),
            };
            measuring.end(ended, measured);
        }
        if self.is_recording() {
            let ended = Ended {
                version: version.filter(|_| self.side == Side::Client),
                answer: self.answer,
                response_size,
                outcome,
            };
            let ended_at = self.started_at.checked_add(elapsed);
            self.end_span(ended, ended_at.unwrap_or(self.started_at));
        }
    }

    fn end_span(&self, ended: Ended, ended_at: SystemTime) {
        let span = self.context.span();
        if self.recording == Recording::Pipeline {
            return direct::end(&span, ended, ended_at);
        }
        ended.set_on(&span);
        span.end_with_timestamp(ended_at);
    }

    fn has_no_body(&self, status: StatusCode) -> bool {
        self.is_head || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED)
    }

    /// Known if the body came to its end here, or was announced. What a HEAD did not send does not count.
    fn response_size(&self, ending: Ending<'_>) -> Option<u64> {
        let status = self.answer.status?;
        match ending {
            Ending::Complete | Ending::Trailers(_) => Some(self.seen_size),
            Ending::AtHeaders if !self.has_no_body(status) => self.expected_size,
            _ => None,
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.end_in_place(Ending::Cancelled);
    }
}
