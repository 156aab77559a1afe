use std::borrow::Cow;
use std::marker::PhantomData;
use std::sync::Arc;

use azmon_instrument::Hook;
use azmon_instrument::http::Settings;
use http::Uri;
use opentelemetry::KeyValue;
use tower_layer::Layer;

use super::service::ClientTrace;
use super::settings::ClientSettings;
use crate::mode::{EndAtHeaders, WrapBody};
use crate::{RequestHead, ResponseHead};

/// Records a span and metrics for every request that a client sends, and writes the span's ids into it.
///
/// A retry or redirect layer inside this layer is covered by the one span. Outside this layer, each attempt has
/// its own span: see [`ResendLayer`](super::ResendLayer). While telemetry is suppressed, the layer records
/// nothing and writes no headers. Without a provider, the layer still propagates the ids of the active span. An
/// error of `poll_ready` belongs to no request and is not recorded.
///
/// See the [crate's documentation](crate) for the recorded attributes and the end of a span.
#[derive(Debug, Clone)]
pub struct ClientLayer<M = WrapBody> {
    settings: Arc<ClientSettings>,
    mode: PhantomData<M>,
}

impl ClientLayer {
    /// Makes a layer with the defaults, and with the excluded hosts of the [environment].
    ///
    /// [environment]: azmon_instrument::exclude::Exclusions::outgoing_from_environment
    #[must_use]
    pub fn new() -> Self {
        Self::with_environment(|variable| std::env::var(variable).ok())
    }

    /// [`ClientLayer::new`] with another environment.
    #[must_use]
    pub fn with_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            settings: Arc::new(ClientSettings::new(Settings::of_client(lookup))),
            mode: PhantomData,
        }
    }

    /// Ends spans with the head of the response, and leaves the type of the response body unchanged.
    ///
    /// By default a span ends with the body, which is wrapped in a [`ResponseBody`](crate::ResponseBody).
    #[must_use]
    pub fn end_at_headers(self) -> ClientLayer<EndAtHeaders> {
        ClientLayer {
            settings: self.settings,
            mode: PhantomData,
        }
    }
}

impl Default for ClientLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<M> ClientLayer<M> {
    azmon_instrument::http_setters!();
    azmon_instrument::http_client_setters!();

    /// Replaces the settings. Hosts that the environment excludes stay excluded.
    #[must_use]
    pub fn settings(self, settings: Settings) -> Self {
        self.change(|own| own.take_over(settings))
    }

    /// Sets the scheme and host of requests whose URI has none, such as those of tonic's channels.
    ///
    /// Defaults to no host, and to the scheme `http`.
    #[must_use]
    pub fn base_url(self, url: Uri) -> Self {
        self.change_all(|settings| settings.base_url = url)
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

    /// Names spans. The function receives the [template](super::UrlTemplate) of the URL, if known; `None` keeps
    /// the default name.
    #[must_use]
    pub fn span_name<F>(self, hook: F) -> Self
    where
        F: Fn(&RequestHead<'_>, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync + 'static,
    {
        self.change_all(|settings| settings.span_name = Hook::new(Arc::new(hook)))
    }

    fn change(self, change: impl FnOnce(&mut Settings)) -> Self {
        self.change_all(|settings| {
            change(&mut settings.http);
            settings.providers.reset();
        })
    }

    fn change_all(mut self, change: impl FnOnce(&mut ClientSettings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<S, M> Layer<S> for ClientLayer<M> {
    type Service = ClientTrace<S, M>;

    fn layer(&self, inner: S) -> Self::Service {
        ClientTrace::new(inner, Arc::clone(&self.settings))
    }
}
