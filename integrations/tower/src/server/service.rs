use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::{Instant, SystemTime};

use azmon_instrument::http::{Exchange, NewExchange, Side};
use azmon_instrument::propagation::{RemoteParent, extract_baggage};
use azmon_instrument::{NewSpan, StartSpan, StartedSpan};
use http::{Request, Response};
use http_body::Body;
use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanKind, TraceContextExt};
use tower_service::Service;

use super::request::ServerRequest;
use super::settings::Settings;
use super::span::ServerSpan;
use crate::RequestHead;
use crate::recording::{Observer, Recording, ResponseFuture, Scope, SpanEnd};

/// Records what a service answers. Made by a [`ServerLayer`](super::ServerLayer).
#[derive(Debug, Clone)]
pub struct ServerTrace<S, E> {
    inner: S,
    settings: Arc<Settings>,
    end: PhantomData<E>,
}

impl<S, E> ServerTrace<S, E> {
    pub(super) fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self {
            inner,
            settings,
            end: PhantomData,
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

impl<S, E, ReqBody, ResBody> Service<Request<ReqBody>> for ServerTrace<S, E>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    S::Error: fmt::Debug + 'static,
    ResBody: Body,
    E: SpanEnd<ResBody>,
{
    type Response = Response<E::Body>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, E>;

    fn poll_ready(&mut self, cx: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let mut recording = begin(&self.settings, &request);
        let inner = {
            let _attached = recording.attach();
            recording.run(|| self.inner.call(request))
        };
        ResponseFuture::new(inner, recording)
    }
}

/// Starts the exchange, unless the request or the context excludes it, or nothing of it is recorded.
fn begin<B>(settings: &Arc<Settings>, request: &Request<B>) -> Recording {
    let current = Context::current();
    if current.is_telemetry_suppressed() {
        return Recording::none(Scope::None);
    }
    let head = RequestHead::of(request);
    let exclusions = &settings.exclusions;
    if exclusions.excludes_target(head.method(), head.path_and_query()) {
        return excluded(settings, &current);
    }
    let started = Instant::now();
    let resolved = settings.providers.resolve(started);
    if resolved.is_nothing() {
        return Recording::none(Scope::None);
    }
    let incoming = ServerRequest::new(settings, head);
    if incoming.is_excluded(settings) {
        return excluded(settings, &current);
    }
    let metrics = resolved.metrics;
    let started_at = opentelemetry::time::now();
    let content = ServerSpan::new(settings, &incoming);
    let span = match resolved.tracer {
        Some(tracer) => start_span(tracer, &content, current, started_at),
        None => StartedSpan::nothing(current),
    };
    if !span.recording.is_on() && metrics.is_none() && !settings.sends_trace_id() {
        return Recording::none(Scope::Unrecorded(span.context));
    }
    let new = NewExchange {
        side: Side::Server,
        method: request.method(),
        context: span.context,
        recording: span.recording,
        started,
        started_at,
        metrics: metrics.map(|metrics| (metrics, incoming.labels(content.name().route.clone()))),
        version: Some(request.version()),
        request_size: incoming.headers.content_length,
        cancellation_is_error: settings.cancellation_is_error,
        has_route: content.name().route.is_some(),
        late_method: content.late_method(),
    };
    let exchange = Exchange::start(new);
    Recording::of(exchange, Observer::Server(Arc::clone(settings)))
}

fn excluded(settings: &Settings, current: &Context) -> Recording {
    Recording::none(match settings.suppresses_excluded {
        true => Scope::Excluded(current.with_telemetry_suppressed()),
        false => Scope::None,
    })
}

/// Starts the span, in a context that knows the name of the operation: that of the span, unless a better one
/// may come with the response.
fn start_span(
    tracer: &dyn StartSpan,
    content: &ServerSpan<'_>,
    current: Context,
    started_at: SystemTime,
) -> StartedSpan {
    let (parent, remote_parent, links) = parent_and_links(content, current);
    let new = NewSpan {
        kind: SpanKind::Server,
        started_at,
        remote_parent,
        links,
        content,
    };
    let span = tracer.start_span(new, &parent);
    match content.operation_of(&span) {
        Some(operation) => StartedSpan {
            context: span.context.with_value(operation),
            ..span
        },
        None => span,
    }
}

/// The caller's span is the parent, or, if callers are not trusted, a link of a span that begins a trace.
fn parent_and_links(
    content: &ServerSpan<'_>,
    current: Context,
) -> (Context, Option<RemoteParent>, Vec<Link>) {
    let ServerSpan {
        settings, incoming, ..
    } = content;
    let headers = incoming.head.headers();
    let remote = incoming.headers.remote_parent(headers);
    if settings.trusts_remote_parent {
        let context = match incoming.headers.has_baggage {
            true => extract_baggage(&current, headers),
            false => current,
        };
        return (context, remote, Vec::new());
    }
    let links = remote.iter();
    let links = links.map(|remote| Link::with_context(remote.span_context()));
    // An invalid span in its place would count as a parent that is not sampled. Without one, nothing of
    // the context need be given up.
    let parent = match current.has_active_span() {
        true => Context::new(),
        false => current,
    };
    (parent, None, links.collect())
}
