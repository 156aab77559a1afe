use std::borrow::Cow;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::sync::Arc;

use azmon_instrument::Hook;
use azmon_instrument::exclude::{Exclusions, Subject};
use azmon_instrument::http::{HeaderCapture, HeaderOwner, Redaction};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use tower_layer::Layer;

use super::service::ServerTrace;
use super::settings::Settings;
use crate::recording::{AtBodyEnd, AtHeaders};
use crate::{RequestHead, ResponseHead};

/// Records a span and metrics for every request that a service answers.
///
/// See the [crate's documentation](crate) for what is recorded, and when a span ends.
///
/// Cheap to clone; so are the services that it makes.
#[derive(Debug, Clone)]
pub struct ServerLayer<E = AtBodyEnd> {
    settings: Arc<Settings>,
    end: PhantomData<E>,
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
            settings: Arc::new(Settings::new(Exclusions::from_environment(lookup))),
            end: PhantomData,
        }
    }

    /// Gives responses the body of axum, in place of a [`ResponseBody`](crate::ResponseBody).
    ///
    /// `axum::serve` takes a service around a whole router then; and within one, a request that is not
    /// recorded saves the box that axum puts around a body of another type. The body of an excluded request
    /// is left as it is if its size is known, since it does nothing while it is sent then.
    #[cfg(feature = "axum")]
    #[must_use]
    pub fn axum_body(self) -> ServerLayer<crate::AxumBody> {
        ServerLayer {
            settings: self.settings,
            end: PhantomData,
        }
    }

    /// Ends spans with the head of the response, whose type stays what it is.
    ///
    /// The default is the end of the body, which is wrapped in a [`ResponseBody`](crate::ResponseBody).
    #[must_use]
    pub fn end_at_headers(self) -> ServerLayer<AtHeaders> {
        ServerLayer {
            settings: self.settings,
            end: PhantomData,
        }
    }
}

impl Default for ServerLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> ServerLayer<E> {
    /// Excludes paths, in the [forms](azmon_instrument::exclude) that there are: `/healthz` also excludes
    /// `/healthz/live`, but not `/healthzone`.
    ///
    /// An entry without a meaning is left out, with a warning; [`exclusions`](Self::exclusions) takes lists
    /// that were checked.
    #[must_use]
    pub fn exclude_paths<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(|settings| settings.exclusions.add_valid(Subject::Path, entries))
    }

    /// Excludes requests *for* these hosts: `localhost:5000`, `*.internal`.
    ///
    /// An entry without a meaning is left out, with a warning.
    #[must_use]
    pub fn exclude_hosts<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(|settings| settings.exclusions.add_valid(Subject::Host, entries))
    }

    /// Excludes methods: `OPTIONS`.
    ///
    /// An entry that is not a method is left out, with a warning.
    #[must_use]
    pub fn exclude_methods<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(|settings| settings.exclusions.add_valid(Subject::Method, entries))
    }

    /// Excludes requests whose header `user-agent` contains one of these texts: `kube-probe`, `AlwaysOn`.
    ///
    /// An entry without a meaning is left out, with a warning.
    #[must_use]
    pub fn exclude_user_agents<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(|settings| settings.exclusions.add_valid(Subject::UserAgent, entries))
    }

    /// Excludes all that `exclusions` does, besides what already is.
    #[must_use]
    pub fn exclusions(self, exclusions: Exclusions) -> Self {
        self.with(|settings| settings.exclusions.merge(exclusions))
    }

    /// Whether telemetry is suppressed inside of an excluded request, so that it has no child spans either.
    ///
    /// Defaults to true. If not, they become traces of their own.
    #[must_use]
    pub fn suppress_excluded(self, suppress: bool) -> Self {
        self.with(|settings| settings.suppresses_excluded = suppress)
    }

    /// Whether the caller's span, as the header `traceparent` names it, is the parent.
    ///
    /// Defaults to true. If not, every request begins a trace, and has a link to the caller's span: for
    /// services on the internet, whose callers could otherwise decide what is sampled. Baggage is not taken
    /// then.
    #[must_use]
    pub fn trust_remote_parent(self, trust: bool) -> Self {
        self.with(|settings| settings.trusts_remote_parent = trust)
    }

    /// Whether `forwarded` or `x-forwarded-…` headers say where a request comes from and goes to.
    ///
    /// Defaults to false, since anybody can send them: turn it on behind a proxy that overwrites them. The
    /// first entry counts.
    #[must_use]
    pub fn trust_forwarded(self, trust: bool) -> Self {
        self.with(|settings| settings.trusts_forwarded = trust)
    }

    /// The scheme of requests that do not name one, as those of HTTP/1.
    ///
    /// Defaults to `http`; only `https` changes it.
    #[must_use]
    pub fn scheme(self, scheme: &str) -> Self {
        let scheme = super::forwarded::scheme(scheme).unwrap_or("http");
        self.with(|settings| settings.scheme = scheme)
    }

    /// Whether a request whose client goes away is an error.
    ///
    /// Defaults to false: it only has the attribute `azmon.cancelled`.
    #[must_use]
    pub fn cancellation_is_error(self, is_error: bool) -> Self {
        self.with(|settings| settings.cancellation_is_error = is_error)
    }

    /// Whether responses have the header `traceresponse`, with the ids of trace and span.
    ///
    /// Defaults to false.
    #[must_use]
    pub fn traceresponse(self, send: bool) -> Self {
        self.with(|settings| settings.sends_traceresponse = send)
    }

    /// Whether responses have the header `server-timing` with `traceparent`, which browsers can read.
    ///
    /// Defaults to false.
    #[must_use]
    pub fn server_timing(self, send: bool) -> Self {
        self.with(|settings| settings.sends_server_timing = send)
    }

    /// Captures headers of requests as attributes `http.request.header.<name>`.
    ///
    /// Defaults to none: headers hold secrets.
    #[must_use]
    pub fn request_headers<I>(self, names: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(|settings| {
            settings.request_headers = HeaderCapture::new(HeaderOwner::Request, names);
        })
    }

    /// Captures headers of responses as attributes `http.response.header.<name>`.
    ///
    /// Defaults to none: headers hold secrets.
    #[must_use]
    pub fn response_headers<I>(self, names: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(|settings| {
            settings.response_headers = HeaderCapture::new(HeaderOwner::Response, names);
        })
    }

    /// Which values of a query leave as `REDACTED`.
    ///
    /// Defaults to those of [keys that look secret](Redaction).
    #[must_use]
    pub fn redaction(self, redaction: Redaction) -> Self {
        self.with(|settings| settings.redaction = redaction)
    }

    /// Adds attributes of the request to its span. The sampler sees them.
    #[must_use]
    pub fn on_request<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.with(|settings| settings.on_request = Hook(Some(Arc::new(hook))))
    }

    /// Adds attributes of the response to its span, if that records.
    #[must_use]
    pub fn on_response<F>(self, hook: F) -> Self
    where
        F: Fn(&ResponseHead<'_>, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.with(|settings| settings.on_response = Hook(Some(Arc::new(hook))))
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
        self.with(|settings| settings.route = Hook(Some(Arc::new(hook))))
    }

    /// Names spans, given the route if there is one. `None` keeps the name that they have.
    #[must_use]
    pub fn span_name<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        self.with(|settings| settings.span_name = Hook(Some(Arc::new(hook))))
    }

    /// Tells the other end of the connection, in place of axum's `ConnectInfo<SocketAddr>`.
    #[must_use]
    pub fn peer_address<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>) -> Option<SocketAddr> + Send + Sync + 'static,
    {
        self.with(|settings| settings.peer_address = Hook(Some(Arc::new(hook))))
    }

    /// Whether metrics are recorded. Defaults to true.
    #[must_use]
    pub fn metrics(self, record: bool) -> Self {
        self.with(|settings| settings.providers.set_metered(record))
    }

    /// Uses this provider of tracers.
    ///
    /// Defaults to the global one, which may also be [installed later](azmon_instrument::Providers).
    #[must_use]
    pub fn tracer_provider<P>(self, provider: &P) -> Self
    where
        P: TracerProvider<Tracer: Send + Sync + 'static>,
        <P::Tracer as Tracer>::Span: Send + Sync + 'static,
    {
        self.with(|settings| settings.providers.set_tracer_provider(provider))
    }

    /// Uses this provider of meters.
    ///
    /// Defaults to the global one, which may also be [installed later](azmon_instrument::Providers).
    #[must_use]
    pub fn meter_provider(self, provider: &dyn MeterProvider) -> Self {
        self.with(|settings| settings.providers.set_meter_provider(provider))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S, E> Layer<S> for ServerLayer<E> {
    type Service = ServerTrace<S, E>;

    fn layer(&self, inner: S) -> Self::Service {
        ServerTrace::new(inner, Arc::clone(&self.settings))
    }
}
