use std::str::FromStr;

use http::header::GetAll;
use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::origin::{NOT_RANDOM, RANDOM, TraceOrigin, state_without_random_flag};
use super::traceparent::TraceParent;
use super::{TRACEPARENT, TRACESTATE, tracestate};

/// The caller's span, read from valid `traceparent` and `tracestate` headers.
#[derive(Debug, Clone)]
pub struct RemoteParent {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
    /// `None` without a `tracestate`. Boxed, because the parent is moved often and rarely has one.
    origin: Option<Box<TraceOrigin>>,
}

impl RemoteParent {
    /// Reads the headers of a request.
    ///
    /// `None` if `traceparent` is missing or invalid: the request then begins a trace.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let parent = parents.next()?;
        if parents.next().is_some() {
            return None;
        }
        Self::from_values(parent, Some(headers.get_all(TRACESTATE)))
    }

    /// Reads the values of the only `traceparent` and of all `tracestate` headers, for a caller that has already
    /// scanned the headers.
    #[must_use]
    pub fn from_values(
        parent: &HeaderValue,
        states: Option<GetAll<'_, HeaderValue>>,
    ) -> Option<Self> {
        let parent = TraceParent::parse(parent.as_bytes())?;
        Some(Self::new(parent, states.as_ref().and_then(received)))
    }

    pub(super) fn new(parent: TraceParent, tracestate: Option<HeaderValue>) -> Self {
        let flags = if parent.random {
            RANDOM
        } else {
            TraceFlags::default()
        };
        let new = Self {
            trace_id: parent.trace_id,
            span_id: parent.span_id,
            flags: flags.with_sampled(parent.sampled),
            origin: None,
        };
        match tracestate {
            Some(received) => new.with_members(received),
            None => new,
        }
    }

    #[cold]
    fn with_members(mut self, received: HeaderValue) -> Self {
        self.origin = Some(Box::new(TraceOrigin {
            trace_id: self.trace_id,
            random: self.is_random(),
            given: parse(&received).unwrap_or_else(|| self.empty_state()),
            received,
        }));
        self
    }

    fn is_random(&self) -> bool {
        self.flags & RANDOM == RANDOM
    }

    /// The state of a span of another tracer, if the API knows no member.
    fn empty_state(&self) -> TraceState {
        if self.is_random() {
            TraceState::NONE
        } else {
            state_without_random_flag()
        }
    }

    /// The caller's span. Its `trace_state` is empty if the API refuses the received members.
    #[must_use]
    pub fn span_context(&self) -> SpanContext {
        let state = match &self.origin {
            Some(origin) => origin.given.clone(),
            None => self.empty_state(),
        };
        SpanContext::new(self.trace_id, self.span_id, self.flags, true, state)
    }

    /// The caller's trace and span, and the flags of a child in azmon's own tracer.
    #[doc(hidden)]
    #[must_use]
    pub fn ids(&self) -> (TraceId, SpanId, TraceFlags) {
        let flags = if self.is_random() {
            self.flags
        } else {
            self.flags | NOT_RANDOM
        };
        (self.trace_id, self.span_id, flags)
    }

    /// The trace state of a child in azmon's own tracer.
    #[doc(hidden)]
    #[must_use]
    pub fn state(&self) -> TraceState {
        match &self.origin {
            Some(origin) => origin.given.clone(),
            None => TraceState::NONE,
        }
    }

    /// The id of the caller's span, as a number.
    #[must_use]
    pub fn span_id(&self) -> u64 {
        u64::from_be_bytes(self.span_id.to_bytes())
    }

    /// Clears the sampled flag.
    #[must_use]
    pub fn unsampled(self) -> Self {
        Self {
            flags: self.flags.with_sampled(false),
            ..self
        }
    }

    /// Copies `context` with the caller's span as active span.
    #[must_use]
    pub fn attach_to(self, context: &Context) -> Context {
        let span = self.span_context();
        remember(self.origin, context.with_remote_span_context(span))
    }

    /// Adds the received `tracestate` and random flag to `context`, without making the caller's span active.
    #[doc(hidden)]
    #[must_use]
    pub fn remember_in(self, context: Context) -> Context {
        remember(self.origin, context)
    }
}

fn remember(origin: Option<Box<TraceOrigin>>, context: Context) -> Context {
    match origin {
        Some(origin) => context.with_value(*origin),
        None => context,
    }
}

/// The list to propagate. A single header is cloned, which copies nothing.
fn received(headers: &GetAll<'_, HeaderValue>) -> Option<HeaderValue> {
    let bytes = || headers.iter().map(HeaderValue::as_bytes);
    if !tracestate::is_worth_keeping(bytes()) {
        return None;
    }
    let mut values = headers.iter();
    match (values.next(), values.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => join(tracestate::members(bytes())),
    }
}

/// Joins the members of a list into one header.
pub(super) fn join<'a>(members: impl Iterator<Item = &'a [u8]>) -> Option<HeaderValue> {
    let mut list = Vec::new();
    for member in members {
        if !list.is_empty() {
            list.push(b',');
        }
        list.extend_from_slice(member);
    }
    HeaderValue::from_bytes(&list).ok()
}

fn parse(list: &HeaderValue) -> Option<TraceState> {
    TraceState::from_str(list.to_str().ok()?).ok()
}
