use std::sync::LazyLock;

use http::HeaderValue;
use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;

use super::remote_parent::{RemoteParent, join};
use super::traceparent::TraceParent;
use super::{TRACEPARENT, TRACESTATE, headers, tracestate};

/// Propagates spans as the W3C headers `traceparent` and `tracestate`.
///
/// It does not propagate baggage: combine it with the SDK's `BaggagePropagator`.
///
/// # Examples
///
/// ```
/// use azmon_instrument::propagation::TraceContextPropagator;
/// use opentelemetry::propagation::TextMapCompositePropagator;
/// use opentelemetry_sdk::propagation::BaggagePropagator;
///
/// opentelemetry::global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
///     Box::new(TraceContextPropagator::new()),
///     Box::new(BaggagePropagator::new()),
/// ]));
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct TraceContextPropagator;

impl TraceContextPropagator {
    /// Makes a propagator.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl TextMapPropagator for TraceContextPropagator {
    fn inject_context(&self, context: &Context, injector: &mut dyn Injector) {
        let span = context.span();
        let span = span.span_context();
        if !span.is_valid() {
            return;
        }
        let parent = headers::trace_parent(context, span).write();
        injector.set(
            TRACEPARENT.as_str(),
            String::from_utf8_lossy(&parent).into_owned(),
        );
        if let Some(state) = headers::tracestate(context, span) {
            injector.set(
                TRACESTATE.as_str(),
                String::from_utf8_lossy(state.as_bytes()).into_owned(),
            );
        }
    }

    fn extract_with_context(&self, context: &Context, extractor: &dyn Extractor) -> Context {
        match remote_parent(extractor) {
            Some(parent) => parent.attach_to(context),
            None => context.clone(),
        }
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: LazyLock<[String; 2]> =
            LazyLock::new(|| [TRACEPARENT, TRACESTATE].map(|name| name.as_str().to_owned()));
        FieldIter::new(FIELDS.as_slice())
    }
}

fn remote_parent(extractor: &dyn Extractor) -> Option<RemoteParent> {
    let parents = extractor.get_all(TRACEPARENT.as_str())?;
    let [parent] = parents.as_slice() else {
        return None;
    };
    let parent = TraceParent::parse(parent.as_bytes())?;
    let states = extractor.get_all(TRACESTATE.as_str()).unwrap_or_default();
    Some(RemoteParent::new(parent, state(&states)))
}

fn state(headers: &[&str]) -> Option<HeaderValue> {
    let bytes = || headers.iter().map(|header| header.as_bytes());
    if !tracestate::is_worth_keeping(bytes()) {
        return None;
    }
    join(tracestate::members(bytes()))
}
