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
/// Of two such layers around each other the outer one records; the inner one only tells it the route.
///
/// See the [crate's documentation](crate) for what is recorded, and when a span ends.
///
/// Cheap to clone; so are the services that it makes.
#[derive(Debug, Clone)]
pub struct ServerLayer<M = WrapBody> {
    settings: Arc<ServerSettings>,
    mode: PhantomData<M>,
}

impl ServerLayer {
    /// Makes a layer that excludes what the [environment] says, and has the defaults for the rest.
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

    /// Gives responses the body of axum, in place of a [`ResponseBody`](crate::ResponseBody).
    ///
    /// `axum::serve` takes a service around a whole router then; and within one, a request that is not
    /// recorded saves the box that axum puts around a body of another type. The body of an excluded request
    /// is left as it is if its size is known, since it does nothing while it is sent then.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn axum_body(self) -> ServerLayer<crate::WrapAxumBody> {
        ServerLayer {
            settings: self.settings,
            mode: PhantomData,
        }
    }

    /// Ends spans with the head of the response, whose type stays what it is.
    ///
    /// The default is the end of the body, which is wrapped in a [`ResponseBody`](crate::ResponseBody).
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

    /// Uses these settings in place of those so far. What the environment excludes stays excluded.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        self.change(|own| own.take_over(settings))
    }

    /// Excludes paths, in the [forms](azmon_instrument::exclude) that there are: `/healthz` also excludes
    /// `/healthz/live`, but not `/healthzone`. Paths are those that the client sent, also in a nested router.
    ///
    /// An entry without a meaning is left out, with a warning; [`exclusions`](Self::exclusions) takes lists
    /// that were checked.
    #[must_use]
    pub fn exclude_paths<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.change(|settings| settings.exclusions.add_valid(Subject::Path, entries))
    }

    /// Excludes methods: `OPTIONS`.
    ///
    /// An entry that is not a method is left out, with a warning.
    #[must_use]
    pub fn exclude_methods<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.change(|settings| settings.exclusions.add_valid(Subject::Method, entries))
    }

    /// Excludes requests whose header `user-agent` contains one of these texts: `kube-probe`, `AlwaysOn`. Any
    /// caller can send it.
    ///
    /// An entry without a meaning is left out, with a warning.
    #[must_use]
    pub fn exclude_user_agents<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.change(|settings| settings.exclusions.add_valid(Subject::UserAgent, entries))
    }

    /// Whether nothing inside of an excluded request is a span, and none of its calls is counted. Its log
    /// records, errors and panics arrive in any case, and its ids are propagated as those of a trace that is not
    /// sampled.
    ///
    /// azmon's instrumentation starts no span then. Other spans are left out by a sampler that follows the parent, as
    /// azmon's samplers and the default of OpenTelemetry's SDK do.
    ///
    /// Defaults to true. If not, spans inside are children of the caller's span, or begin traces.
    #[must_use]
    pub fn exclude_children(self, exclude: bool) -> Self {
        self.change_all(|settings| settings.excludes_children = exclude)
    }

    /// Whether the caller's span, as the header `traceparent` names it, is the parent.
    ///
    /// Defaults to true. If not, every request begins a trace, and has a link to the caller's span: for
    /// services on the internet, whose callers could otherwise decide what is sampled. Baggage is not taken
    /// then.
    #[must_use]
    pub fn trust_remote_parent(self, trust: bool) -> Self {
        self.change_all(|settings| settings.trusts_remote_parent = trust)
    }

    /// Takes address, host and scheme of a request from the headers that proxies in front of the server write.
    ///
    /// Defaults to none, since any client can send these headers.
    #[must_use]
    pub fn trusted_proxies(self, proxies: TrustedProxies) -> Self {
        self.change_all(|settings| settings.trusted_proxies = Some(proxies))
    }

    /// Whether requests that do not name their scheme, as those of HTTP/1, came by `https`.
    ///
    /// Defaults to false: `http`.
    #[must_use]
    pub fn https(self, is_https: bool) -> Self {
        let scheme = if is_https { "https" } else { "http" };
        self.change_all(|settings| settings.scheme = scheme)
    }

    /// Whether responses have the header `traceresponse`, with the ids of trace and span.
    ///
    /// Defaults to false.
    #[must_use]
    pub fn traceresponse(self, send: bool) -> Self {
        self.change_all(|settings| settings.sends_traceresponse = send)
    }

    /// Whether responses have the header `server-timing` with `traceparent`, which browsers can read.
    ///
    /// Defaults to false.
    #[must_use]
    pub fn server_timing(self, send: bool) -> Self {
        self.change_all(|settings| settings.sends_server_timing = send)
    }

    /// Adds attributes of the request to its span. The sampler sees them.
    #[must_use]
    pub fn on_request<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.on_request = Hook::new(Arc::new(hook)))
    }

    /// Adds attributes of the response to its span, if that records.
    #[must_use]
    pub fn on_response<F>(self, hook: F) -> Self
    where
        F: Fn(&ResponseHead<'_>, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.on_response = Hook::new(Arc::new(hook)))
    }

    /// Names the route of a request, in place of axum's `MatchedPath`: for routers that tell it otherwise.
    ///
    /// It must be a template, never the path: it becomes the name of spans and an attribute of metrics. A
    /// router inside of the layer may tell it later, by a [`Route`](super::Route) in its response.
    #[must_use]
    pub fn route<F>(self, hook: F) -> Self
    where
        F: for<'a> Fn(&RequestHead<'a>) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.route = Hook::new(Arc::new(hook)))
    }

    /// Names spans, given the route if there is one. `None` keeps the name that they have.
    #[must_use]
    pub fn span_name<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.span_name = Hook::new(Arc::new(hook)))
    }

    /// Tells the other end of the connection, in place of axum's `ConnectInfo<SocketAddr>` and tonic's
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
