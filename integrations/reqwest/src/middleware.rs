use std::borrow::Cow;
use std::error::Error;
use std::sync::Arc;

use azmon_instrument::Hook;
use azmon_instrument::http::Settings;
use opentelemetry::KeyValue;
use reqwest::{Request, Response};

use crate::settings::{CallSettings, ErrorHook};

/// Records a span and metrics for every request that a client sends, and writes the span's ids into it.
///
/// While telemetry is suppressed, the middleware records nothing and writes no headers. Without a provider, it
/// still propagates the ids of the active span.
///
/// See the [crate's documentation](crate) for the recorded attributes, the end of a span, and the place of the
/// middleware in a stack.
///
/// Cheap to clone.
#[derive(Debug, Clone)]
pub struct TraceMiddleware {
    pub(crate) settings: Arc<CallSettings>,
}

impl TraceMiddleware {
    /// Makes a middleware with the defaults, and with the excluded hosts of the [environment].
    ///
    /// [environment]: azmon_instrument::exclude::Exclusions::outgoing_from_environment
    #[must_use]
    pub fn new() -> Self {
        Self::with_environment(|variable| std::env::var(variable).ok())
    }

    /// [`TraceMiddleware::new`] with another environment.
    #[must_use]
    pub fn with_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            settings: Arc::new(CallSettings::new(Settings::of_client(lookup))),
        }
    }

    azmon_instrument::http_setters!();
    azmon_instrument::http_client_setters!();

    /// Replaces the settings. Hosts that the environment excludes stay excluded.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        self.change(|own| own.take_over(settings))
    }

    /// Ends spans with the head of the response, and leaves the body unchanged.
    ///
    /// By default a span ends with the body. This costs five more allocations, or six for a body that may have
    /// trailers.
    #[must_use]
    pub fn end_at_headers(self) -> Self {
        self.change_all(|settings| settings.ends_at_headers = true)
    }

    /// Adds attributes of the request to its span. The sampler sees these attributes.
    #[must_use]
    pub fn on_request<F>(self, hook: F) -> Self
    where
        F: Fn(&Request, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.on_request = Hook::new(Arc::new(hook)))
    }

    /// Adds attributes of the response to its span, if the span is recording.
    #[must_use]
    pub fn on_response<F>(self, hook: F) -> Self
    where
        F: Fn(&Response, &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.on_response = Hook::new(Arc::new(hook)))
    }

    /// Adds attributes of the error that ended a request to its span, if the span is recording.
    ///
    /// The error is a [`reqwest_middleware::Error`] if no response arrived, and a [`reqwest::Error`] if the
    /// response body failed. The text of both contains the URL with its query: use `without_url` or the cause.
    #[must_use]
    pub fn on_error<F>(self, hook: F) -> Self
    where
        F: Fn(&(dyn Error + 'static), &mut Vec<KeyValue>) + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.on_error = ErrorHook(Hook::new(Arc::new(hook))))
    }

    /// Names spans. The function receives the [template](crate::UrlTemplate) of the URL, if known; `None` keeps
    /// the default name.
    #[must_use]
    pub fn span_name<F>(self, hook: F) -> Self
    where
        F: Fn(&Request, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.span_name = Hook::new(Arc::new(hook)))
    }

    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.change_all(|settings| {
            change(&mut settings.http);
            settings.providers.reset();
        })
    }

    fn change_all(mut self, change: impl FnOnce(&mut CallSettings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl Default for TraceMiddleware {
    fn default() -> Self {
        Self::new()
    }
}
