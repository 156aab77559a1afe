use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use azmon_instrument::Hook;
use azmon_instrument::exclude::{Exclusions, Subject};
use azmon_instrument::http::{HeaderCapture, HeaderOwner, Redaction};
use http::Uri;
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use tower_layer::Layer;

use super::service::ClientTrace;
use super::settings::Settings;
use crate::recording::{AtBodyEnd, AtHeaders};
use crate::{RequestHead, ResponseHead};

/// Records a span and metrics for every request that a client sends, and writes the span's ids into it.
///
/// Retries and redirects inside of the layer are part of one span; outside of it, each attempt has its own:
/// see [`ResendLayer`](super::ResendLayer). Where telemetry is suppressed nothing is recorded or written.
///
/// See the [crate's documentation](crate) for what is recorded, and when a span ends.
#[derive(Debug, Clone)]
pub struct ClientLayer<E = AtBodyEnd> {
    settings: Arc<Settings>,
    end: PhantomData<E>,
}

impl ClientLayer {
    /// Makes a layer that excludes the hosts that the [environment] says, and has the defaults for the rest.
    ///
    /// [environment]: Exclusions::outgoing_from_environment
    #[must_use]
    pub fn new() -> Self {
        Self::with_environment(|variable| std::env::var(variable).ok())
    }

    /// [`ClientLayer::new`] with another environment.
    #[must_use]
    pub fn with_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let exclusions = Exclusions::outgoing_from_environment(lookup);
        Self {
            settings: Arc::new(Settings::new(exclusions)),
            end: PhantomData,
        }
    }

    /// Ends spans with the head of the response, whose type stays what it is.
    ///
    /// The default is the end of the body, which is wrapped in a [`ResponseBody`](crate::ResponseBody).
    #[must_use]
    pub fn end_at_headers(self) -> ClientLayer<AtHeaders> {
        ClientLayer {
            settings: self.settings,
            end: PhantomData,
        }
    }
}

impl Default for ClientLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<E> ClientLayer<E> {
    /// Excludes requests to these hosts, in the [forms](azmon_instrument::exclude) that there are: they have
    /// no span and no metrics. They are still sent the ids of the caller's span, so that what they do stays
    /// part of the trace.
    ///
    /// An entry without a meaning is left out, with a warning; [`exclusions`](Self::exclusions) takes lists
    /// that were checked.
    #[must_use]
    pub fn exclude_hosts<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(|settings| settings.exclusions.add_valid(Subject::Host, entries))
    }

    /// Excludes the hosts of `exclusions`, besides those that already are.
    #[must_use]
    pub fn exclusions(self, exclusions: Exclusions) -> Self {
        self.with(|settings| settings.exclusions.merge(exclusions))
    }

    /// Sends these hosts no ids and no baggage, in the [forms](azmon_instrument::exclude) that there are.
    /// Their requests still have spans and metrics: for services of others, who need not know.
    ///
    /// An entry without a meaning is left out, with a warning.
    #[must_use]
    pub fn no_propagation_hosts<I>(self, entries: I) -> Self
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.with(|settings| settings.strangers.add_valid(Subject::Host, entries))
    }

    /// The scheme and host of requests that name none: those of tonic's channels.
    ///
    /// Defaults to none, and `http`.
    #[must_use]
    pub fn base_url(self, url: Uri) -> Self {
        self.with(|settings| settings.base_url = url)
    }

    /// Whether a request that is given up, by dropping its future or the response's body, is an error.
    ///
    /// Defaults to false: it only has the attribute `azmon.cancelled`.
    #[must_use]
    pub fn cancellation_is_error(self, is_error: bool) -> Self {
        self.with(|settings| settings.cancellation_is_error = is_error)
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

    /// Which values of a query leave as `REDACTED`. Credentials always do.
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

    /// Names spans, given the [template](super::UrlTemplate) if there is one. `None` keeps the name that
    /// they have.
    #[must_use]
    pub fn span_name<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        self.with(|settings| settings.span_name = Hook(Some(Arc::new(hook))))
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

impl<S, E> Layer<S> for ClientLayer<E> {
    type Service = ClientTrace<S, E>;

    fn layer(&self, inner: S) -> Self::Service {
        ClientTrace::new(inner, Arc::clone(&self.settings))
    }
}
