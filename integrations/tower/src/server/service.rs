use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Instant, SystemTime};

use azmon_instrument::exclude::{is_excluded, without_spans};
use azmon_instrument::http::{Exchange, NewExchange, Resolved, Scope, Side, is_served};
use azmon_instrument::propagation::{RemoteParent, extract_baggage};
use azmon_instrument::{NewSpan, StartedSpan};
use http::{Request, Response};
use http_body::Body;
use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanKind, TraceContextExt};
use tower_service::Service;

use super::request::{ServerHeaders, ServerRequest};
use super::route::InnerRoute;
use super::settings::ServerSettings;
use super::span::ServerSpan;
use crate::future::{InFlight, ResponseFuture};
use crate::mode::ResponseMode;

/// Records the requests that a service answers. A [`ServerLayer`](super::ServerLayer) makes it.
#[derive(Debug, Clone)]
pub struct ServerTrace<S, M> {
    inner: S,
    settings: Arc<ServerSettings>,
    mode: PhantomData<M>,
}

impl<S, M> ServerTrace<S, M> {
    pub(super) fn new(inner: S, settings: Arc<ServerSettings>) -> Self {
        Self {
            inner,
            settings,
            mode: PhantomData,
        }
    }

    /// The service inside.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }

    /// The service inside.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// The service inside.
    pub fn into_inner(self) -> S {
        self.inner
    }
}

impl<S, M, ReqBody, ResBody> Service<Request<ReqBody>> for ServerTrace<S, M>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: fmt::Debug + 'static,
    ResBody: Body,
    M: ResponseMode<ResBody>,
{
    type Response = Response<M::Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, M>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let in_flight = begin(&self.settings, &request);
        ResponseFuture::new(in_flight, || self.inner.call(request))
    }
}

/// Starts the exchange, unless the request or the context excludes it or recording is off.
fn begin<B>(settings: &Arc<ServerSettings>, request: &Request<B>) -> InFlight {
    let current = Context::current();
    if current.is_telemetry_suppressed() || is_excluded(&current) {
        return InFlight::unrecorded(Scope::None);
    }
    let head = super::request::head(request);
    let excludes_target = settings
        .http
        .exclusions
        .excludes_target(head.method(), head.path_and_query());
    if excludes_target || settings.http.excludes(head.extensions(), || Some(head)) {
        let headers = ServerHeaders::of(head.headers());
        return excluded(settings, current, &headers, head.headers());
    }
    let started = Instant::now();
    let resolved = settings
        .providers
        .resolve(&settings.http.providers, started);
    if resolved.is_nothing() {
        return InFlight::unrecorded(Scope::None);
    }
    let incoming = ServerRequest::new(settings, head);
    if incoming.is_excluded(settings) {
        return excluded(settings, current, &incoming.headers, head.headers());
    }
    let remote = incoming.headers.remote_parent(head.headers());
    let caller = remote.as_ref().map_or(0, RemoteParent::span_id);
    if is_served(caller) {
        return InFlight::observed(Arc::new(InnerRoute::new(incoming.route(settings))));
    }
    start(settings, &incoming, &resolved, current, remote, started)
}

#[inline]
fn start(
    settings: &Arc<ServerSettings>,
    incoming: &ServerRequest<'_>,
    resolved: &Resolved<'_>,
    current: Context,
    remote: Option<RemoteParent>,
    started: Instant,
) -> InFlight {
    let metrics = resolved.metrics();
    let started_at = opentelemetry::time::now();
    let caller = remote.as_ref().map_or(0, RemoteParent::span_id);
    let content = ServerSpan::new(settings, incoming);
    let span = if resolved.tracer().is_some() {
        start_span(resolved, &content, current, remote, started_at)
    } else {
        StartedSpan::nothing(current)
    };
    if !span.recorded_by.is_some() && metrics.is_none() && !settings.sends_trace_id() {
        return InFlight::unrecorded(Scope::Unrecorded(span.context));
    }
    let new = NewExchange {
        side: Side::Server,
        method: incoming.head.method(),
        context: span.context,
        recorded_by: span.recorded_by,
        started,
        started_at,
        metrics: metrics.map(|metrics| (metrics, incoming.labels(content.name().route.clone()))),
        version: Some(incoming.head.version()),
        request_size: incoming.headers.content_length,
        rules: &settings.http.end,
        caller,
        has_route: content.name().route.is_some(),
        late_method: content.late_method(),
        claimed_rpc: incoming.claimed_rpc(),
    };
    let exchange = Box::write(Box::new_uninit(), Exchange::start(new));
    InFlight::recorded(exchange, Arc::<ServerSettings>::clone(settings))
}

/// An excluded request: it records nothing, and propagates the ids and the baggage of the caller.
#[cold]
fn excluded(
    settings: &ServerSettings,
    current: Context,
    headers: &ServerHeaders<'_>,
    all: &http::HeaderMap,
) -> InFlight {
    let is_trusted = settings.trusts_remote_parent;
    let caller = headers.remote_parent(all).filter(|_| is_trusted);
    let current = if is_trusted && headers.has_baggage {
        extract_baggage(&current, all)
    } else {
        current
    };
    let context = match (settings.excludes_children, caller) {
        (true, caller) => without_spans(&current, caller),
        (false, Some(caller)) => caller.attach_to(&current),
        (false, None) => current,
    };
    InFlight::unrecorded(Scope::Excluded(context))
}

/// Starts the span in a context that carries the operation name. The operation name is the span name, unless the
/// response may bring a route.
fn start_span(
    resolved: &Resolved<'_>,
    content: &ServerSpan<'_>,
    current: Context,
    remote: Option<RemoteParent>,
    started_at: SystemTime,
) -> StartedSpan {
    let (parent, remote_parent, links) = parent_and_links(content, current, remote);
    let new = NewSpan {
        kind: SpanKind::Server,
        started_at,
        remote_parent,
        links,
        content,
    };
    let span = resolved.start_span(new, &parent);
    match content.operation_of(&span) {
        Some(operation) => StartedSpan {
            context: span.context.with_value(operation),
            ..span
        },
        None => span,
    }
}

/// The caller's span as the parent or, if callers are not trusted, as a link of a span that starts a trace.
fn parent_and_links(
    content: &ServerSpan<'_>,
    current: Context,
    remote: Option<RemoteParent>,
) -> (Context, Option<RemoteParent>, Vec<Link>) {
    let ServerSpan {
        settings, incoming, ..
    } = content;
    if settings.trusts_remote_parent {
        let context = if incoming.headers.has_baggage {
            extract_baggage(&current, incoming.head.headers())
        } else {
            current
        };
        return (context, remote, Vec::new());
    }
    let links = remote.iter();
    let links = links.map(|remote| Link::with_context(remote.span_context()));
    // An invalid parent span would count as an unsampled parent. Without an active span, the context can be used
    // unchanged.
    let parent = if current.has_active_span() {
        Context::new()
    } else {
        current
    };
    (parent, None, links.collect())
}
