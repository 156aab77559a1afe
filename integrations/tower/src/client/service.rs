use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{self, Poll};

use azmon_instrument::http::Exchange;
use azmon_instrument::propagation::inject;
use http::{Request, Response};
use http_body::Body;
use opentelemetry::Context;
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
        false => {
            outgoing.count();
            outgoing.start(&current)
        }
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
