use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{self, Poll};

use azmon_instrument::http::{self as instrument, Scope};
use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::request::ClientRequest;
use super::settings::ClientSettings;
use crate::RequestHead;
use crate::future::{InFlight, ResponseFuture};
use crate::mode::ResponseMode;

/// Records the requests that a client sends. A [`ClientLayer`](super::ClientLayer) makes it.
#[derive(Debug, Clone)]
pub struct ClientTrace<S, M> {
    inner: S,
    settings: Arc<ClientSettings>,
    mode: PhantomData<M>,
}

impl<S, M> ClientTrace<S, M> {
    pub(super) fn new(inner: S, settings: Arc<ClientSettings>) -> Self {
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

impl<S, M, ReqBody, ResBody> Service<Request<ReqBody>> for ClientTrace<S, M>
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

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let in_flight = begin(&self.settings, &mut request);
        ResponseFuture::new(in_flight, || self.inner.call(request))
    }
}

/// Starts the exchange unless the request is excluded, and writes the ids into the request unless its host is
/// excluded from propagation.
fn begin<B>(settings: &Arc<ClientSettings>, request: &mut Request<B>) -> InFlight {
    let call = ClientRequest::new(settings, RequestHead::of(request));
    let begun = instrument::begin(&settings.http, &settings.providers, call);
    match begun.inject(&settings.http, request.headers_mut()) {
        Scope::Recorded(exchange) => {
            InFlight::recorded(exchange, Arc::<ClientSettings>::clone(settings))
        }
        scope => InFlight::unrecorded(scope),
    }
}
