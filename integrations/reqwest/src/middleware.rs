use std::error::Error;
use std::sync::Arc;

use azmon_instrument::exclude::{Exclusions, Subject};
use azmon_instrument::http::{HeaderCapture, HeaderOwner, Redaction};
use opentelemetry::KeyValue;
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Tracer, TracerProvider};
use reqwest::{Request, Response};

use crate::settings::Settings;

/// Records a span and metrics for every request that a client sends, and writes the span's ids into it.
///
/// Where telemetry is suppressed nothing is recorded or written.
///
/// See the [crate's documentation](crate) for what is recorded, when a span ends, and where to place it.
///
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct TraceMiddleware {
    pub(crate) settings: Arc<Settings>,
}

impl TraceMiddleware {
    /// Makes a middleware that excludes the hosts that the [environment] says, and has the defaults for the
    /// rest.
    ///
    /// [environment]: Exclusions::outgoing_from_environment
    #[must_use]
    pub fn new() -> Self {
        Self::with_environment(|variable| std::env::var(variable).ok())
    }

    /// [`TraceMiddleware::new`] with another environment.
    #[must_use]
    pub fn with_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let exclusions = Exclusions::outgoing_from_environment(lookup);
        Self {
            settings: Arc::new(Settings::new(exclusions)),
        }
    }

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

    /// Excludes the hosts of `exclusions`, besides those that already are. Its paths, methods and user
    /// agents are those of incoming requests, and mean nothing here.
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

    /// Ends spans with the head of the response, and leaves its body alone.
    ///
    /// The default is the end of the body, which costs five allocations more, or six for one that may have
    /// trailers.
    #[must_use]
    pub fn end_at_headers(self) -> Self {
        self.with(|settings| settings.ends_at_headers = true)
    }

    /// Whether a request that is given up, by dropping its future or the response's body, is an error.
    ///
    /// Defaults to false: it only has the attribute `azmon.cancelled`.
    #[must_use]
    pub fn cancellation_is_error(self, is_error: bool) -> Self {
        self.with(|settings| settings.cancellation_is_error = is_error)
    }

    /// Captures headers of requests as attributes `http.request.header.<name>`, as the caller has set them.
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
        F: Fn(&Request, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.with(|settings| settings.on_request.0 = Some(Arc::new(hook)))
    }

    /// Adds attributes of the response to its span, if that records.
    #[must_use]
    pub fn on_response<F>(self, hook: F) -> Self
    where
        F: Fn(&Response, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.with(|settings| settings.on_response.0 = Some(Arc::new(hook)))
    }

    /// Adds attributes of the error that ended a request to its span, if that records.
    ///
    /// It is a [`reqwest_middleware::Error`] where there is no response, and a [`reqwest::Error`] where the
    /// body of one fails. Their texts hold the URL with its query: take `without_url` or the cause.
    #[must_use]
    pub fn on_error<F>(self, hook: F) -> Self
    where
        F: Fn(&(dyn Error + 'static), &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.with(|settings| settings.on_error.0 = Some(Arc::new(hook)))
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

impl Default for TraceMiddleware {
    fn default() -> Self {
        Self::new()
    }
}
