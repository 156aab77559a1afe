//! The start of an outgoing call, shared by all clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use http::{Extensions, HeaderMap};
use opentelemetry::Context;
use opentelemetry::trace::SpanKind;

use super::exchange::{Exchange, NewExchange};
use super::outgoing_request::OutgoingRequest;
use super::providers::Providers;
use super::scope::Scope;
use super::settings::{Settings, records_calls};
use crate::direct::{NewSpan, SpanContent};
use crate::propagation::{inject_with, remove_ids};
use crate::semconv::Side;

/// Counts how often a request is sent again: as a retry, or because of a redirect.
///
/// Clones share the count. In the extensions of a request before its first send, it gives each further span the
/// attribute `http.request.resend_count`.
#[derive(Debug, Clone, Default)]
pub struct ResendCount(Arc<AtomicU32>);

impl ResendCount {
    /// Increments the count and returns the previous one: how often the request was sent before.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// A call that a client is about to send.
pub trait OutgoingCall: SpanContent {
    /// The request in the terms of the semantic conventions.
    fn request(&self) -> OutgoingRequest<'_>;

    /// The extensions of the request.
    fn extensions(&self) -> &Extensions;

    /// Whether the application's own rule excludes the call.
    fn is_excluded_by(&self, settings: &Settings) -> bool;

    /// Sets how often the request was sent before.
    fn set_resend_count(&mut self, count: u32);
}

/// A call that has begun and whose request does not carry its ids yet.
#[derive(Debug)]
pub struct BegunCall {
    scope: Scope,
    /// The context that is propagated if the call has no scope.
    caller: Context,
    propagation: Propagation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Propagation {
    /// Telemetry is suppressed, so the request stays unchanged.
    Untouched,
    Told,
    Refused,
}

/// Starts the exchange of a call, unless it is excluded.
#[must_use]
#[inline]
pub fn begin(settings: &Settings, providers: &Providers, mut call: impl OutgoingCall) -> BegunCall {
    let caller = Context::current();
    if caller.is_telemetry_suppressed() {
        return BegunCall {
            scope: Scope::None,
            caller,
            propagation: Propagation::Untouched,
        };
    }
    let request = call.request();
    let is_told = settings
        .propagation
        .tell(request.authority, request.scheme, call.extensions());
    let is_excluded = !records_calls(&caller)
        || request.is_excluded_by(&settings.exclusions)
        || call.is_excluded_by(settings);
    let scope = if is_excluded {
        Scope::None
    } else {
        if let Some(count) = call.extensions().get::<ResendCount>() {
            let count = count.next();
            call.set_resend_count(count);
        }
        start(settings, providers, &call, &caller)
    };
    BegunCall {
        scope,
        caller,
        propagation: if is_told {
            Propagation::Told
        } else {
            Propagation::Refused
        },
    }
}

/// Starts the exchange. Without a provider, the call has no scope.
fn start(
    settings: &Settings,
    providers: &Providers,
    call: &impl OutgoingCall,
    caller: &Context,
) -> Scope {
    let started = Instant::now();
    let resolved = providers.resolve(&settings.providers, started);
    if resolved.is_nothing() {
        return Scope::None;
    }
    let started_at = opentelemetry::time::now();
    let new = NewSpan {
        kind: SpanKind::Client,
        started_at,
        remote_parent: None,
        links: Vec::new(),
        content: call,
    };
    let span = resolved.start_span(new, caller);
    let metrics = resolved.metrics();
    if !span.recorded_by.is_some() && metrics.is_none() {
        return Scope::Unrecorded(span.context);
    }
    let request = call.request();
    let new = NewExchange {
        side: Side::Client,
        method: request.method,
        context: span.context,
        recorded_by: span.recorded_by,
        started,
        started_at,
        metrics: metrics.map(|metrics| (metrics, request.labels())),
        version: None,
        request_size: request.size,
        rules: &settings.end,
        caller: 0,
        has_route: request.template.is_some(),
        late_method: None,
        claimed_rpc: None,
    };
    Scope::Recorded(Box::write(Box::new_uninit(), Exchange::start(new)))
}

impl BegunCall {
    /// Writes ids and baggage into the headers, or removes them if the host must not receive them. Returns the scope of
    /// the call.
    #[must_use]
    #[inline]
    pub fn inject(self, settings: &Settings, headers: &mut HeaderMap) -> Scope {
        match self.propagation {
            Propagation::Untouched => {}
            Propagation::Told => {
                let context = self.scope.context().unwrap_or(&self.caller);
                inject_with(context, headers, &settings.propagation.baggage);
            }
            Propagation::Refused => remove_ids(headers),
        }
        self.scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together() {
        let first = ResendCount::default();
        let second = first.clone();
        assert_eq!([first.next(), second.next(), first.next()], [0, 1, 2]);
    }
}
