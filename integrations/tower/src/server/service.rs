use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Instant;

use azmon::instrument::http::{Exchange, NewExchange, Side};
use azmon::instrument::propagation::extract_baggage;
use azmon::instrument::{OperationName, Resolved, StartedSpan};
use http::{Request, Response};
use http_body::Body;
use opentelemetry::Context;
use opentelemetry::trace::{Link, SpanBuilder, SpanKind, TraceContextExt};
use tower_service::Service;

use super::name::Name;
use super::request::ServerRequest;
use super::settings::Settings;
use crate::RequestHead;
use crate::recording::{Observer, Recording, ResponseFuture, SpanEnd};

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

/// Starts the exchange, unless the request or the context excludes it.
fn begin<B>(settings: &Arc<Settings>, request: &Request<B>) -> Recording {
    let current = Context::current();
    if current.is_telemetry_suppressed() {
        return Recording::Ignored;
    }
    let incoming = ServerRequest::new(settings, RequestHead::of(request));
    if incoming.is_excluded(settings) {
        return if settings.suppresses_excluded {
            Recording::Inside(current.with_telemetry_suppressed())
        } else {
            Recording::Ignored
        };
    }
    let started = Instant::now();
    let resolved = settings.providers.resolve(started);
    if resolved.tracer.is_none() && resolved.metrics.is_none() {
        return Recording::Ignored;
    }
    let new = start(settings, &incoming, current, resolved, started);
    Recording::Observed {
        exchange: Some(Box::new(Exchange::start(new, request.method().clone()))),
        observer: Observer::Server(Arc::clone(settings)),
    }
}

fn start(
    settings: &Settings,
    incoming: &ServerRequest<'_>,
    current: Context,
    resolved: Resolved<'_>,
    started: Instant,
) -> NewExchange {
    let started_at = opentelemetry::time::now();
    let is_grpc = incoming.headers.is_grpc;
    let name = incoming.name(settings);
    let labels = incoming.labels(name.route.clone());
    let is_name_final = is_grpc || settings.span_name.get().is_some();
    let span = match resolved.tracer {
        Some(tracer) => {
            let (parent, links) = parent_and_links(settings, incoming, &current);
            let builder = SpanBuilder {
                span_kind: Some(SpanKind::Server),
                name: name.name.clone(),
                start_time: Some(started_at),
                attributes: Some(incoming.attributes(settings, &name)),
                links,
                ..SpanBuilder::default()
            };
            with_operation(tracer.start_span(builder, &parent), name, is_grpc)
        }
        None => StartedSpan {
            context: current,
            is_recording: false,
        },
    };
    NewExchange {
        side: Side::Server,
        context: span.context,
        is_recording: span.is_recording,
        started,
        started_at,
        metrics: resolved.metrics.cloned(),
        labels,
        request_size: incoming.headers.content_length,
        cancellation_is_error: settings.cancellation_is_error,
        late_method: (!is_name_final).then(|| incoming.span_method()),
    }
}

/// The caller's span is the parent, or, if callers are not trusted, a link of a span that begins a trace.
fn parent_and_links(
    settings: &Settings,
    incoming: &ServerRequest<'_>,
    current: &Context,
) -> (Context, Option<Vec<Link>>) {
    let headers = incoming.head.headers();
    let remote = incoming.headers.remote_parent(headers);
    if settings.trusts_remote_parent {
        let context = if incoming.headers.has_baggage {
            extract_baggage(current, headers)
        } else {
            current.clone()
        };
        return match remote {
            Some(remote) => (remote.attach_to(&context), None),
            None => (context, None),
        };
    }
    let links = remote.map(|remote| vec![Link::with_context(remote.span_context().clone())]);
    // An invalid span in its place would count as a parent that is not sampled. Without one, nothing of
    // the context need be given up.
    let parent = if current.has_active_span() {
        Context::new()
    } else {
        current.clone()
    };
    (parent, links)
}

/// The name of the operation is that of the span, unless a better one may come with the response.
fn with_operation(span: StartedSpan, name: Name, is_grpc: bool) -> StartedSpan {
    if !span.is_recording || name.route.is_none() && !is_grpc {
        return span;
    }
    StartedSpan {
        context: span.context.with_value(OperationName(name.name.into())),
        ..span
    }
}
