//! The settings that all HTTP integrations share, and their setters: code and documentation exist once.

use http::Extensions;
use opentelemetry::{Context, StringValue};

use super::end_rules::EndRules;
use super::head::RequestHead;
use super::header_capture::{HeaderCapture, HeaderOwner};
use super::providers::ProviderChoice;
use super::url_template::{UrlTemplate, UrlTemplates};
use crate::Hook;
use crate::exclude::Exclusions;
use crate::propagation::BaggageKeys;
use crate::secrets::Redaction;
use crate::semconv::{KnownMethods, default_port};

/// The known methods: a comma-separated list that replaces the default one. The integrations read it.
///
/// Defaults to those of RFC 9110, `PATCH` and `QUERY`.
pub const KNOWN_METHODS: &str = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS";

/// Excludes one request from spans and metrics. Put it into the extensions of an incoming or outgoing request.
///
/// # Examples
///
/// ```
/// use azmon_instrument::http::Excluded;
///
/// let request = http::Request::get("http://localhost/ping").extension(Excluded).body(())?;
/// # Ok::<(), http::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Excluded;

/// Sends one outgoing request without trace ids and baggage. Put it into the extensions of the request.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPropagation;

/// Decides whether a request is excluded.
pub(super) type ExcludeIf = dyn Fn(&RequestHead<'_>) -> bool + Send + Sync;

/// The settings of HTTP instrumentation: one configuration for the layers and the middleware of a service.
///
/// # Examples
///
/// ```
/// use azmon_instrument::http::Settings;
///
/// let settings = Settings::new()
///     .exclude_hosts(["localhost:8126"])
///     .request_headers(["x-tenant"])
///     .no_propagation_hosts(["*.example.org"]);
/// // ServerLayer::new().settings(settings.clone()), ClientLayer::new().settings(settings)
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Settings {
    #[doc(hidden)]
    pub end: EndRules,
    #[doc(hidden)]
    pub exclude_if: Hook<ExcludeIf>,
    #[doc(hidden)]
    pub exclusions: Exclusions,
    #[doc(hidden)]
    pub known_methods: KnownMethods,
    #[doc(hidden)]
    pub propagation: PropagationRules,
    #[doc(hidden)]
    pub providers: ProviderChoice,
    #[doc(hidden)]
    pub redaction: Redaction,
    #[doc(hidden)]
    pub request_headers: HeaderCapture,
    #[doc(hidden)]
    pub response_headers: HeaderCapture,
    #[doc(hidden)]
    pub url_templates: UrlTemplates,
}

/// The hosts that receive the ids and the baggage of a trace.
#[derive(Debug, Clone, Default)]
pub struct PropagationRules {
    #[doc(hidden)]
    pub refused: Exclusions,
    /// The only hosts that receive them; `None` means all hosts.
    #[doc(hidden)]
    pub told: Option<Exclusions>,
    #[doc(hidden)]
    pub baggage: BaggageKeys,
}

impl PropagationRules {
    /// Whether a host receives ids and baggage.
    pub(super) fn tell(&self, authority: &str, scheme: &str, extensions: &Extensions) -> bool {
        let port = Some(default_port(scheme));
        extensions.get::<NoPropagation>().is_none()
            && !self.refused.excludes_host(authority, port)
            && self
                .told
                .as_ref()
                .is_none_or(|told| told.excludes_host(authority, port))
    }
}

impl Settings {
    /// The defaults, without the environment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The defaults of a server, with the environment.
    #[doc(hidden)]
    #[must_use]
    pub fn of_server(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::with_environment(Exclusions::from_environment(&lookup), lookup)
    }

    /// The defaults of a client, with the environment.
    #[doc(hidden)]
    #[must_use]
    pub fn of_client(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::with_environment(Exclusions::outgoing_from_environment(&lookup), lookup)
    }

    fn with_environment(exclusions: Exclusions, lookup: impl Fn(&str) -> Option<String>) -> Self {
        let methods = lookup(KNOWN_METHODS).filter(|list| !list.trim().is_empty());
        Self {
            exclusions,
            known_methods: methods.map_or_else(KnownMethods::default, |list| {
                KnownMethods::only(Exclusions::parse_list(&list))
            }),
            ..Self::default()
        }
    }

    /// Takes all settings of `other`, and keeps the existing exclusions.
    #[doc(hidden)]
    pub fn take_over(&mut self, other: Self) {
        let exclusions = std::mem::take(&mut self.exclusions);
        *self = other;
        self.exclusions.merge(exclusions);
    }

    /// Whether the request's extension or the application's rule excludes it. `head` is called only for the rule.
    #[doc(hidden)]
    #[must_use]
    pub fn excludes<'a>(
        &self,
        extensions: &Extensions,
        head: impl FnOnce() -> Option<RequestHead<'a>>,
    ) -> bool {
        extensions.get::<Excluded>().is_some()
            || self
                .exclude_if
                .get()
                .is_some_and(|excludes| head().is_some_and(|head| excludes(&head)))
    }

    /// The template of an outgoing request: its own, or the first of the client's templates that matches the path.
    #[doc(hidden)]
    #[must_use]
    pub fn template<'a>(
        &'a self,
        extensions: &'a Extensions,
        path: &str,
    ) -> Option<&'a StringValue> {
        let own = extensions.get().map(|UrlTemplate(template)| template);
        own.or_else(|| self.url_templates.find(path))
    }

    /// Captures more headers of requests.
    #[doc(hidden)]
    pub fn capture_of_requests<I>(&mut self, names: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.request_headers.add(HeaderOwner::Request, names);
    }

    /// Captures more headers of responses.
    #[doc(hidden)]
    pub fn capture_of_responses<I>(&mut self, names: I)
    where
        I: IntoIterator<Item: AsRef<str>>,
    {
        self.response_headers.add(HeaderOwner::Response, names);
    }

    fn change(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }
}

/// Whether calls in this context are recorded.
pub(super) fn records_calls(context: &Context) -> bool {
    !crate::exclude::records_no_spans(context)
}

/// Expands to the setters that servers and clients share, for an `impl` block. The type must have a method `change`,
/// which changes its [`Settings`].
#[doc(hidden)]
#[macro_export]
macro_rules! http_setters {
    () => {
        /// Excludes requests to these hosts. Entries have the [documented forms](azmon_instrument::exclude):
        /// `localhost:5000`, `*.internal`.
        ///
        /// On a server, these are requests *for* the hosts, which its callers choose. An excluded call still carries
        /// the ids of the caller's span, so that its effects stay part of the trace.
        ///
        /// An invalid entry is skipped, with a warning; [`exclusions`](Self::exclusions) takes checked lists.
        #[must_use]
        pub fn exclude_hosts<I>(self, entries: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| {
                settings
                    .exclusions
                    .add_valid($crate::exclude::Subject::Host, entries);
            })
        }

        /// Adds exclusions to the existing ones. Paths, methods and user agents apply to incoming requests only; a
        /// client ignores them.
        #[must_use]
        pub fn exclusions(self, exclusions: $crate::exclude::Exclusions) -> Self {
            self.change(|settings| settings.exclusions.merge(exclusions))
        }

        /// Excludes the requests for which `rule` returns true, in addition to the lists. The rule runs first for every
        /// request that the lists let through.
        #[must_use]
        pub fn exclude_if<F>(self, rule: F) -> Self
        where
            F: Fn(&$crate::http::RequestHead<'_>) -> bool + Send + Sync + 'static,
        {
            self.change(|settings| {
                settings.exclude_if = $crate::Hook::new(std::sync::Arc::new(rule))
            })
        }

        /// Decides whether an exchange succeeded: `Some(true)` if a 404 is expected, `Some(false)` if a 200 reports a
        /// failure; `None` leaves the decision to the conventions. The decision sets the status of the span,
        /// `error.type` of metrics, and the success in Application Insights.
        ///
        /// The rule runs once for each recorded exchange, at its end. A panic of the rule counts as `None`.
        #[must_use]
        pub fn classify<F>(self, rule: F) -> Self
        where
            F: Fn(&$crate::http::EndedExchange) -> Option<bool> + Send + Sync + 'static,
        {
            self.change(|settings| {
                settings.end.classify = $crate::Hook::new(std::sync::Arc::new(rule));
            })
        }

        /// Observes the end of each recorded exchange, with its outcome and its duration, and may add attributes to its
        /// span.
        ///
        /// The hook runs once, where the exchange ends: at the end of the response's body, when the future or the body
        /// is dropped, or during a panic. It must not block. Its own panic is caught.
        #[must_use]
        pub fn on_end<F>(self, hook: F) -> Self
        where
            F: Fn(&$crate::http::EndedExchange, &mut Vec<$crate::http::KeyValue>)
                + Send
                + Sync
                + 'static,
        {
            self.change(|settings| {
                settings.end.on_end = $crate::Hook::new(std::sync::Arc::new(hook));
            })
        }

        /// Sets whether an exchange that is cancelled, because its future or the response's body is dropped, is an
        /// error `cancelled`. A status that is an error takes precedence.
        ///
        /// Defaults to false: the span only has the attribute `azmon.cancelled`. An exchange whose body was never
        /// polled does not count as cancelled.
        #[must_use]
        pub fn cancellation_is_error(self, is_error: bool) -> Self {
            self.change(|settings| settings.end.cancellation_is_error = is_error)
        }

        /// Adds known methods, such as `PROPFIND`. Other methods are recorded as `_OTHER`.
        ///
        /// Defaults to those of RFC 9110, `PATCH` and `QUERY`, or to the list of
        /// `OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS`.
        #[must_use]
        pub fn known_methods<I>(self, names: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| settings.known_methods.add(names))
        }

        /// Captures headers of requests as attributes `http.request.header.<name>`, in addition to earlier ones.
        ///
        /// Defaults to none: headers may contain secrets.
        #[must_use]
        pub fn request_headers<I>(self, names: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| settings.capture_of_requests(names))
        }

        /// Captures headers of responses as attributes `http.response.header.<name>`, in addition to earlier ones.
        ///
        /// Defaults to none: headers may contain secrets.
        #[must_use]
        pub fn response_headers<I>(self, names: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| settings.capture_of_responses(names))
        }

        /// Sets which values of a query are replaced by `REDACTED`. Credentials are always replaced.
        ///
        /// Defaults to the values of [keys that look secret](azmon_instrument::http::Redaction).
        #[must_use]
        pub fn redaction(self, redaction: $crate::http::Redaction) -> Self {
            self.change(|settings| settings.redaction = redaction)
        }

        /// Sets whether metrics are recorded. Defaults to true.
        #[must_use]
        pub fn metrics(self, record: bool) -> Self {
            self.change(|settings| settings.providers.set_metered(record))
        }

        /// Sets the boundaries of the histogram of durations, in seconds and ascending.
        ///
        /// Defaults to the 14 boundaries of the conventions, from 5 ms to 10 s.
        #[must_use]
        pub fn duration_boundaries(self, seconds: impl Into<Vec<f64>>) -> Self {
            self.change(|settings| settings.providers.set_duration_boundaries(seconds.into()))
        }

        /// Sets the tracer provider.
        ///
        /// Defaults to the global one, which may be installed later.
        #[must_use]
        pub fn tracer_provider<P>(self, provider: &P) -> Self
        where
            P: $crate::http::TracerProvider<Tracer: Send + Sync + 'static>
                + Clone
                + Send
                + Sync
                + 'static,
            <P::Tracer as $crate::http::Tracer>::Span: Send + Sync + 'static,
        {
            self.change(|settings| settings.providers.set_tracer_provider(provider))
        }

        /// Sets the meter provider.
        ///
        /// Defaults to the global one, which may be installed later.
        #[must_use]
        pub fn meter_provider<P>(self, provider: &P) -> Self
        where
            P: $crate::http::MeterProvider + Clone + Send + Sync + 'static,
        {
            self.change(|settings| settings.providers.set_meter_provider(provider))
        }
    };
}

/// Expands to the setters that only clients have, for an `impl` block.
#[doc(hidden)]
#[macro_export]
macro_rules! http_client_setters {
    () => {
        /// Sends no ids and no baggage to these hosts, and removes those that a request already has. Entries have the
        /// [documented forms](azmon_instrument::exclude). Calls to the hosts still have spans and metrics. Use it for
        /// third-party services.
        ///
        /// A client that follows redirects by itself, as reqwest does, sends the headers of the first request to the
        /// host of the redirect as well. Disable its redirects, or follow them outside the layer.
        ///
        /// An invalid entry is skipped, with a warning.
        #[must_use]
        pub fn no_propagation_hosts<I>(self, entries: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| {
                settings
                    .propagation
                    .refused
                    .add_valid($crate::exclude::Subject::Host, entries);
            })
        }

        /// Sends ids and baggage only to these hosts. Entries have the [documented forms](azmon_instrument::exclude).
        /// The note about redirects at [`no_propagation_hosts`](Self::no_propagation_hosts) applies as well.
        ///
        /// Defaults to all hosts. An invalid entry is skipped, with a warning.
        #[must_use]
        pub fn propagate_only_to<I>(self, entries: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| {
                settings
                    .propagation
                    .told
                    .get_or_insert_default()
                    .add_valid($crate::exclude::Subject::Host, entries);
            })
        }

        /// Sends only these keys of the baggage. An existing `baggage` header of a request is replaced.
        ///
        /// Defaults to all keys.
        #[must_use]
        pub fn propagated_baggage<I>(self, keys: I) -> Self
        where
            I: IntoIterator<Item: Into<String>>,
        {
            self.change(|settings| settings.propagation.baggage.add(keys))
        }

        /// Sets the templates of the paths that the client requests: `/users/{id}`, `/files/{*path}`. The first
        /// template that matches becomes `url.template` and part of the span's name, unless the request has its own
        /// [`UrlTemplate`](azmon_instrument::http::UrlTemplate).
        ///
        /// Defaults to none.
        #[must_use]
        pub fn url_templates<I>(self, templates: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| settings.url_templates.add(templates))
        }
    };
}

impl Settings {
    azmon_instrument::http_setters!();
    azmon_instrument::http_client_setters!();
}
