//! The settings that all HTTP integrations share, and their setters, whose code and documentation exist once.

use http::Extensions;
use opentelemetry::{Context, StringValue};

use super::end_rules::EndRules;
use super::head::RequestHead;
use super::header_capture::{HeaderCapture, HeaderOwner};
use super::providers::ProviderChoice;
use super::redaction::Redaction;
use super::url_template::{UrlTemplate, UrlTemplates};
use crate::Hook;
use crate::exclude::Exclusions;
use crate::propagation::BaggageKeys;
use crate::semconv::{KnownMethods, default_port};

/// The methods that are known: names separated by commas, in place of the default ones. Read by the integrations.
///
/// Defaults to those of RFC 9110, `PATCH` and `QUERY`.
pub const KNOWN_METHODS: &str = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS";

/// Leaves one request without span and metrics. Put into the extensions of a request, incoming or outgoing.
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

/// Sends one outgoing request without the ids of its trace and without baggage. Put into its extensions.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPropagation;

/// Tells whether a request is excluded.
pub(super) type ExcludeIf = dyn Fn(&RequestHead<'_>) -> bool + Send + Sync;

/// How HTTP is recorded: one configuration for the layers and the middleware of a service.
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

/// Which hosts are told the ids and the baggage of a trace.
#[derive(Debug, Clone, Default)]
pub struct PropagationRules {
    #[doc(hidden)]
    pub refused: Exclusions,
    /// `None` stands for all hosts.
    #[doc(hidden)]
    pub told: Option<Exclusions>,
    #[doc(hidden)]
    pub baggage: BaggageKeys,
}

impl PropagationRules {
    /// Whether a host is told.
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
    /// The defaults, without regard to the environment.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The defaults of a server in this environment.
    #[doc(hidden)]
    #[must_use]
    pub fn of_server(lookup: impl Fn(&str) -> Option<String>) -> Self {
        Self::with_environment(Exclusions::from_environment(&lookup), lookup)
    }

    /// The defaults of a client in this environment.
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

    /// Takes all of `other`, and keeps what is excluded already.
    #[doc(hidden)]
    pub fn take_over(&mut self, other: Self) {
        let exclusions = std::mem::take(&mut self.exclusions);
        *self = other;
        self.exclusions.merge(exclusions);
    }

    /// Whether the request itself says that it is excluded, or the application's rule does. `head` is made only
    /// for that rule.
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

    /// The template of an outgoing request: its own, or one of the client's that fits its path.
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

/// Whether a context belongs to a request whose calls are recorded.
pub(super) fn records_calls(context: &Context) -> bool {
    !crate::exclude::records_no_spans(context)
}

/// Emits the setters of a server and of a client into an `impl` block. The type has a method `change`, which
/// changes its [`Settings`].
#[doc(hidden)]
#[macro_export]
macro_rules! http_setters {
    () => {
        /// Excludes requests to these hosts, in the [forms](azmon_instrument::exclude) that there are:
        /// `localhost:5000`, `*.internal`.
        ///
        /// For a server these are requests *for* the hosts, which its callers choose. An excluded call is still
        /// sent the ids of the caller's span, so that what it causes stays part of the trace.
        ///
        /// An entry without a meaning is left out, with a warning; [`exclusions`](Self::exclusions) takes lists
        /// that were checked.
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

        /// Excludes all that `exclusions` does, besides what already is. Paths, methods and user agents are
        /// those of incoming requests, and mean nothing to a client.
        #[must_use]
        pub fn exclusions(self, exclusions: $crate::exclude::Exclusions) -> Self {
            self.change(|settings| settings.exclusions.merge(exclusions))
        }

        /// Excludes the requests for which `rule` returns true, besides those of the lists. It is asked for every
        /// request that these let through, before anything else is done with it.
        #[must_use]
        pub fn exclude_if<F>(self, rule: F) -> Self
        where
            F: Fn(&$crate::http::RequestHead<'_>) -> bool + Send + Sync + 'static,
        {
            self.change(|settings| {
                settings.exclude_if = $crate::Hook::new(std::sync::Arc::new(rule))
            })
        }

        /// Decides whether an exchange was a success: `Some(true)` if a 404 is expected, `Some(false)` if a 200
        /// tells of a failure; `None` leaves it to the conventions. It is seen by the status of the span,
        /// `error.type` in metrics, and the success of Application Insights alike.
        ///
        /// Called once for each exchange that is recorded, when it ends. A panic of the rule counts as `None`.
        #[must_use]
        pub fn classify<F>(self, rule: F) -> Self
        where
            F: Fn(&$crate::http::EndedExchange) -> Option<bool> + Send + Sync + 'static,
        {
            self.change(|settings| {
                settings.end.classify = $crate::Hook::new(std::sync::Arc::new(rule));
            })
        }

        /// Tells the end of each exchange that is recorded, with its outcome and its duration, and adds
        /// attributes to its span.
        ///
        /// Called once, where the exchange ends: when the body of the response has ended, or also when the future
        /// or the body is dropped, or during a panic. It must not block; a panic of its own is caught.
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

        /// Whether an exchange that is given up, by dropping its future or the response's body, is an error
        /// `cancelled`, unless its status is one.
        ///
        /// Defaults to false: it only has the attribute `azmon.cancelled`. A body that was never asked for was
        /// not given up.
        #[must_use]
        pub fn cancellation_is_error(self, is_error: bool) -> Self {
            self.change(|settings| settings.end.cancellation_is_error = is_error)
        }

        /// Adds methods to those that are known: `PROPFIND`. Others are recorded as `_OTHER`.
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

        /// Captures more headers of requests as attributes `http.request.header.<name>`.
        ///
        /// Defaults to none: headers hold secrets.
        #[must_use]
        pub fn request_headers<I>(self, names: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| settings.capture_of_requests(names))
        }

        /// Captures more headers of responses as attributes `http.response.header.<name>`.
        ///
        /// Defaults to none: headers hold secrets.
        #[must_use]
        pub fn response_headers<I>(self, names: I) -> Self
        where
            I: IntoIterator<Item: AsRef<str>>,
        {
            self.change(|settings| settings.capture_of_responses(names))
        }

        /// Sets which values of a query leave as `REDACTED`. Credentials always do.
        ///
        /// Defaults to those of [keys that look secret](azmon_instrument::http::Redaction).
        #[must_use]
        pub fn redaction(self, redaction: $crate::http::Redaction) -> Self {
            self.change(|settings| settings.redaction = redaction)
        }

        /// Whether metrics are recorded. Defaults to true.
        #[must_use]
        pub fn metrics(self, record: bool) -> Self {
            self.change(|settings| settings.providers.set_metered(record))
        }

        /// Sets the boundaries of the histogram of durations, in seconds and ascending.
        ///
        /// Defaults to those of the conventions: 14, from 5 ms to 10 s.
        #[must_use]
        pub fn duration_boundaries(self, seconds: impl Into<Vec<f64>>) -> Self {
            self.change(|settings| settings.providers.set_duration_boundaries(seconds.into()))
        }

        /// Sets the provider of tracers.
        ///
        /// Defaults to the global one, which may also be installed later.
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

        /// Sets the provider of meters.
        ///
        /// Defaults to the global one, which may also be installed later.
        #[must_use]
        pub fn meter_provider<P>(self, provider: &P) -> Self
        where
            P: $crate::http::MeterProvider + Clone + Send + Sync + 'static,
        {
            self.change(|settings| settings.providers.set_meter_provider(provider))
        }
    };
}

/// Emits the setters that only clients have into an `impl` block.
#[doc(hidden)]
#[macro_export]
macro_rules! http_client_setters {
    () => {
        /// Sends these hosts no ids and no baggage, in the [forms](azmon_instrument::exclude) that there are, and
        /// removes those that a request has already. Their calls still have spans and metrics: for services of
        /// others, who need not know.
        ///
        /// A client that follows redirects by itself, as reqwest does, sends the headers of the first request to
        /// the host that it is redirected to: turn that off, or follow them outside of the layer.
        ///
        /// An entry without a meaning is left out, with a warning.
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

        /// Sends ids and baggage to these hosts only, in the [forms](azmon_instrument::exclude) that there are.
        /// What [`no_propagation_hosts`](Self::no_propagation_hosts) says of redirects holds here, too.
        ///
        /// Defaults to all hosts. An entry without a meaning is left out, with a warning.
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

        /// Sends only these keys of the baggage. A `baggage` header that a request has already is replaced.
        ///
        /// Defaults to all keys.
        #[must_use]
        pub fn propagated_baggage<I>(self, keys: I) -> Self
        where
            I: IntoIterator<Item: Into<String>>,
        {
            self.change(|settings| settings.propagation.baggage.add(keys))
        }

        /// Names the paths that the client asks for: `/users/{id}`, `/files/{*path}`. The first template that fits
        /// becomes `url.template` and part of the name of the span, unless the request has its own
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
