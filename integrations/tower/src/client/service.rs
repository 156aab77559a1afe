use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{self, Poll};
use std::time::Instant;

use azmon::instrument::http::{Exchange, NewExchange, Side};
use azmon::instrument::propagation::inject;
use azmon::instrument::{NewRecord, NewSpan, SpanContent, SpanRecord};
use http::{Request, Response};
use http_body::Body;
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};
use tower_service::Service;

use super::request::ClientRequest;
use super::settings::Settings;
use crate::RequestHead;
use crate::recording::{Observer, Recording, ResponseFuture, Scope, SpanEnd};

/// Records what a client asks. Made by a [`ClientLayer`](super::ClientLayer).
#[derive(Debug, Clone)]
pub struct ClientTrace<S, E> {
    inner: S,
    settings: Arc<Settings>,
    end: PhantomData<E>,
}

impl<S, E> ClientTrace<S, E> {
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

impl<S, E, ReqBody, ResBody> Service<Request<ReqBody>> for ClientTrace<S, E>
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

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let mut recording = begin(&self.settings, &mut request);
        let inner = {
            let _attached = recording.attach();
            recording.run(|| self.inner.call(request))
        };
        ResponseFuture::new(inner, recording)
    }
}

/// Starts the exchange, unless it is excluded, and writes ids into the request, unless its host is sent none.
fn begin<B>(settings: &Arc<Settings>, request: &mut Request<B>) -> Recording {
    let current = Context::current();
    if current.is_telemetry_suppressed() {
        return Recording::none(Scope::None);
    }
    let mut outgoing = ClientRequest::new(settings, RequestHead::of(request));
    let is_stranger = outgoing.is_excluded_by(&settings.strangers);
    let exchange = match outgoing.is_excluded_by(&settings.exclusions) {
        true => None,
        false => start(settings, &mut outgoing, &current),
    };
    if !is_stranger {
        let context = exchange.as_ref().map_or(&current, Exchange::context);
        inject(context, request.headers_mut());
    }
    match exchange {
        Some(exchange) if exchange.is_observed() => {
            Recording::of(exchange, Observer::Client(Arc::clone(settings)))
        }
        Some(exchange) => Recording::none(Scope::Unrecorded(exchange.context().clone())),
        None => Recording::none(Scope::None),
    }
}

fn start(
    settings: &Settings,
    outgoing: &mut ClientRequest<'_>,
    current: &Context,
) -> Option<Exchange> {
    let started = Instant::now();
    let resolved = settings.providers.resolve(started);
    if resolved.is_nothing() {
        return None;
    }
    outgoing.count();
    let started_at = opentelemetry::time::now();
    let content = ClientSpan { settings, outgoing };
    let new = NewSpan::below_active(SpanKind::Client, started_at, &content);
    let span = resolved.start_span(new, current);
    let metrics = resolved.metrics;
    Some(Exchange::start(NewExchange {
        side: Side::Client,
        method: outgoing.method(),
        context: span.context,
        is_recording: span.is_recording,
        started,
        started_at,
        metrics: metrics.map(|metrics| (metrics, outgoing.labels())),
        version: None,
        request_size: outgoing.size(),
        cancellation_is_error: settings.cancellation_is_error,
        has_route: outgoing.has_template(),
        late_method: None,
    }))
}

/// What the span of a client says.
struct ClientSpan<'a> {
    settings: &'a Settings,
    outgoing: &'a ClientRequest<'a>,
}

impl SpanContent for ClientSpan<'_> {
    fn name(&self) -> Cow<'static, str> {
        self.outgoing.name(self.settings)
    }

    fn attributes(&self) -> Vec<KeyValue> {
        self.outgoing.attributes(self.settings)
    }

    fn record(&self, new: NewRecord<'_>) -> Box<SpanRecord> {
        self.outgoing.record(self.settings, new)
    }
}
