use std::borrow::Cow;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use azmon_instrument::Hook;
use azmon_instrument::exclude::Subject;
use azmon_instrument::http::Settings;
use opentelemetry::KeyValue;
use tower_layer::Layer;

use super::forwarded::TrustedProxies;
use super::service::ServerTrace;
use super::settings::ServerSettings;
use crate::mode::{EndAtHeaders, WrapBody};
use crate::{RequestHead, ResponseHead};

/// Records a span and metrics for every request that a service answers.
///
/// If two such layers surround a service, the outer one records the request; the inner one passes the route to
/// it.
///
/// See the [crate's documentation](crate) for the recorded attributes and the end of a span.
///
/// Cheap to clone, like the services that it makes.
#[derive(Debug, Clone)]
pub struct ServerLayer<M = WrapBody> {
    settings: Arc<ServerSettings>,
    mode: PhantomData<M>,
}

impl ServerLayer {
    /// Makes a layer with the defaults, and with the exclusions of the [environment].
    ///
    /// [environment]: azmon_instrument::exclude
    #[must_use]
    pub fn new() -> Self {
        Self::with_environment(|variable| std::env::var(variable).ok())
    }

    /// [`ServerLayer::new`] with another environment.
    #[must_use]
    pub fn with_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            settings: Arc::new(ServerSettings::new(Settings::of_server(lookup))),
            mode: PhantomData,
        }
    }

    /// Gives responses axum's body instead of a [`ResponseBody`](crate::ResponseBody).
    ///
    /// `axum::serve` then accepts a service around a whole router. Inside a router, it saves the box that axum
    /// puts around a body of another type. The body of an excluded request stays unchanged if its size is known.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn axum_body(self) -> ServerLayer<crate::WrapAxumBody> {
        ServerLayer {
            settings: self.settings,
            mode: PhantomData,
        }
    }

    /// Ends spans with the head of the response, and leaves the type of the response body unchanged.
    ///
    /// By default a span ends with the body, which is wrapped in a [`ResponseBody`](crate::ResponseBody).
    #[must_use]
    pub fn end_at_headers(self) -> ServerLayer<EndAtHeaders> {
        ServerLayer {
            settings: self.settings,
            mode: PhantomData,
        }
    }
}

impl Default for ServerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> ServerLayer<M> {
    azmon_instrument::http_setters!();

    /// Replaces the settings. The exclusions of the environment stay in force.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        self.change(|own| own.take_over(settings))
    }

    /// Excludes paths, in the [forms](azmon_instrument::exclude) of exclusions: `/healthz` also excludes
    /// `/healthz/live`, but not `/healthzone`. The path is the one that the client sent, also in a nested router.
    ///
    /// An invalid entry is ignored with a warning; [`exclusions`](Self::exclusions) takes validated lists.
    #[must_use]
    pub fn exclude_paths<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.change(|settings| settings.exclusions.add_valid(Subject::Path, entries))
    }

    /// Excludes methods, for example `OPTIONS`.
    ///
    /// An invalid method is ignored with a warning.
    #[must_use]
    pub fn exclude_methods<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.change(|settings| settings.exclusions.add_valid(Subject::Method, entries))
    }

    /// Excludes requests whose header `user-agent` contains one of these texts, for example `kube-probe` or
    /// `AlwaysOn`. Any client can send such a header.
    ///
    /// An invalid entry is ignored with a warning.
    #[must_use]
    pub fn exclude_user_agents<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.change(|settings| settings.exclusions.add_valid(Subject::UserAgent, entries))
    }

    /// Sets whether an excluded request also excludes the spans and metrics of the calls inside it. Log records,
    /// errors and panics are recorded in any case. The trace ids are propagated as those of an unsampled trace.
    ///
    /// azmon's instrumentation then starts no span. A sampler that follows the parent drops the other spans;
    /// azmon's samplers and the default sampler of the OpenTelemetry SDK do so.
    ///
    /// Defaults to true. If false, spans inside are children of the caller's span, or start a trace.
    #[must_use]
    pub fn exclude_children(self, exclude: bool) -> Self {
        self.change_all(|settings| settings.excludes_children = exclude)
    }

    /// Sets whether the span in the header `traceparent` becomes the parent.
    ///
    /// Defaults to true. If false, every request starts a trace with a link to the caller's span, and incoming
    /// baggage is ignored. Use it for services on the internet, whose clients could otherwise decide which
    /// requests are sampled.
    #[must_use]
    pub fn trust_remote_parent(self, trust: bool) -> Self {
        self.change_all(|settings| settings.trusts_remote_parent = trust)
    }

    /// Reads the address, host and scheme of a request from the headers of trusted proxies in front of the
    /// server.
    ///
    /// Defaults to no trusted proxy, since any client can send these headers.
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.change_all(|settings| settings.trusted_proxies = Some(proxies))
    }

    /// Sets the scheme of requests that do not name one, such as those of HTTP/1, to `https`.
    ///
    /// Defaults to false: `http`.
    #[must_use]
    pub fn https(self, is_https: bool) -> Self {
        let scheme = if is_https { "https" } else { "http" };
        self.change_all(|settings| settings.scheme = scheme)
    }

    /// Sets whether responses have the header `traceresponse`, with the trace id and span id.
    ///
    /// Defaults to false.
    #[must_use]
    pub fn traceresponse(self, send: bool) -> Self {
        self.change_all(|settings| settings.sends_traceresponse = send)
    }

    /// Sets whether responses have the header `server-timing` with `traceparent`, which browsers can read.
    ///
    /// Defaults to false.
    #[must_use]
    pub fn server_timing(self, send: bool) -> Self {
        self.change_all(|settings| settings.sends_server_timing = send)
    }

    /// Adds attributes of the request to its span. The sampler sees these attributes.
    #[must_use]
    pub fn on_request<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.on_request = Hook::new(Arc::new(hook)))
    }

    /// Adds attributes of the response to its span, if the span is recording.
    #[must_use]
    pub fn on_response<F>(self, hook: F) -> Self
    where
        F: Fn(&ResponseHead<'_>, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.on_response = Hook::new(Arc::new(hook)))
    }

    /// Sets the route of a request from another source than axum's `MatchedPath`, for other routers.
    ///
    /// The route must be a template, never the path: it becomes the span name and an attribute of metrics. A
    /// router inside the layer may report the route later, by a [`Route`](super::Route) in its response.
    #[must_use]
    pub fn route<F>(self, hook: F) -> Self
    where
        F: for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.route = Hook::new(Arc::new(hook)))
    }

    /// Names spans. The function receives the route, if known; `None` keeps the default name.
    #[must_use]
    pub fn span_name<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.span_name = Hook::new(Arc::new(hook)))
    }

    /// Sets the peer address from another source than axum's `ConnectInfo<SocketAddr>` and tonic's
    /// `TcpConnectInfo`.
    #[must_use]
    pub fn peer_address<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>) -> Option<SocketAddr> + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.peer_address = Hook::new(Arc::new(hook)))
    }

    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.change_all(|settings| {
            change(&mut settings.http);
            settings.providers.reset();
        })
    }

    fn change_all(mut self, change: impl FnOnce(&mut ServerSettings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S, M> Layer<S> for ServerLayer<M> {
    type Service = ServerTrace<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerTrace::new(inner, Arc::clone(&self.settings))
    }
}
