use std::str::FromStr;

use http::header::GetAll;
use http::{HeaderMap, HeaderValue};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};

use super::origin::{RANDOM, TraceOrigin, state_without_random_flag};
use super::traceparent::TraceParent;
use super::{TRACEPARENT, TRACESTATE, tracestate};

/// The caller's span, as valid `traceparent` and `tracestate` headers name it.
#[derive(Debug, Clone)]
pub struct RemoteParent {
    trace_id: TraceId,
    span_id: SpanId,
    flags: TraceFlags,
    state: TraceState,
    origin: Option<TraceOrigin>,
}

impl RemoteParent {
    /// Reads the headers of a request.
    ///
    /// `None` without a `traceparent`, or with one that breaks a rule: the request begins a trace then.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut parents = headers.get_all(TRACEPARENT).iter();
        let parent = parents.next()?;
        if parents.next().is_some() {
            return None;
        }
        Self::from_values(parent, Some(headers.get_all(TRACESTATE)))
    }

    /// Reads the values of the only `traceparent`, and of `tracestate` headers if there are any: for those
    /// who have looked through the headers already.
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
        let given = match tracestate.as_ref().and_then(parse) {
            Some(state) => state,
            None if parent.random => TraceState::NONE,
            None => state_without_random_flag(),
        };
        let origin = tracestate.map(|received| TraceOrigin {
            trace_id: parent.trace_id,
            random: parent.random,
            received,
            given: given.clone(),
        });
        Self {
            trace_id: parent.trace_id,
            span_id: parent.span_id,
            flags: flags.with_sampled(parent.sampled),
            state: given,
            origin,
        }
    }

    /// The caller's span. Its `trace_state` has no members when the API refuses what was received.
    #[must_use]
    pub fn span_context(&self) -> SpanContext {
        let state = self.state.clone();
        SpanContext::new(self.trace_id, self.span_id, self.flags, true, state)
    }

    /// The caller's trace, span and flags.
    #[doc(hidden)]
    #[must_use]
    pub fn ids(&self) -> (TraceId, SpanId, TraceFlags) {
        (self.trace_id, self.span_id, self.flags)
    }

    /// Moves the caller's trace state out; nothing is left in its place.
    #[doc(hidden)]
    #[must_use]
    pub fn take_state(&mut self) -> TraceState {
        std::mem::take(&mut self.state)
    }

    /// The id of the caller's span, as a number.
    #[must_use]
    pub fn span_id(&self) -> u64 {
        u64::from_be_bytes(self.span_id.to_bytes())
    }

    /// The same without the flag that says that it is sampled.
    #[must_use]
    pub fn unsampled(self) -> Self {
        Self {
            flags: self.flags.with_sampled(false),
            ..self
        }
    }

    /// A copy of `context` whose active span is the caller's.
    #[must_use]
    pub fn attach_to(self, context: &Context) -> Context {
        let span = SpanContext::new(self.trace_id, self.span_id, self.flags, true, self.state);
        remember(self.origin, context.with_remote_span_context(span))
    }

    /// A copy of `context` that sends on what the caller's span came with, without being active itself.
    #[doc(hidden)]
    #[must_use]
    pub fn remember_in(self, context: Context) -> Context {
        remember(self.origin, context)
    }
}

fn remember(origin: Option<TraceOrigin>, context: Context) -> Context {
    match origin {
        Some(origin) => context.with_value(origin),
        None => context,
    }
}

/// The list to pass on: the header itself if there is only one, which copies nothing.
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

/// Makes one header of the members of a list.
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
