use std::fmt;
use std::time::Duration;

use azmon::Storage;

use crate::config::ConfigWarning;
use crate::inputs::Limits;

/// The destination of all items that match no route.
pub const DEFAULT_DESTINATION: &str = "default";

/// The environment variable with the connection string of the destination `default`.
pub const CONNECTION_STRING: &str = "APPLICATIONINSIGHTS_CONNECTION_STRING";

/// The interval of the statistics in the log, which is LocalForwarder's.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(60);
/// The default time for delivering queued items at shutdown.
const DRAIN: Duration = Duration::from_secs(10);

/// The configuration of a forwarder.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ForwarderConfig {
    /// The inputs.
    pub inputs: Vec<InputConfig>,
    /// The limits of the inputs.
    pub limits: Limits,
    /// Whether OpenCensus nodes become custom events. Defaults to `false`.
    pub node_events: bool,
    /// The destinations. One must be named `default`, unless every route names its destinations.
    pub destinations: Vec<Destination>,
    /// The routes. The first route that matches an item applies.
    pub routes: Vec<Route>,
    /// The rules that exclude items.
    pub exclude: Vec<ExcludeRule>,
    /// The redaction of texts.
    pub redaction: Redaction,
    /// The sampling. Defaults to keeping all items.
    pub sampling: Sampling,
    /// Whether failed requests, failed dependencies and exceptions bypass sampling. Defaults to `false`.
    pub keep_failures: bool,
    /// Whether requests and dependencies are counted as standard metrics, before sampling. Defaults to `true`.
    pub standard_metrics: bool,
    /// Whether destinations whose connection string has a live endpoint receive Live Metrics of each role instance,
    /// before sampling. Defaults to the environment variable `AZMON_LIVE_METRICS`, and then to `true`.
    pub live_metrics: Option<bool>,
    /// Names of resource attributes that become properties of every item.
    pub resource_attributes: Vec<String>,
    /// The storage of items that a destination cannot accept at the moment. Defaults to files below the user's
    /// cache directory.
    pub storage: Storage,
    /// The address of the health endpoint. Defaults to none.
    pub health: Option<String>,
    /// The interval of the statistics in the log. Defaults to 60 s.
    pub statistics_interval: Duration,
    /// The time for delivering queued items at shutdown. Defaults to 10 s.
    pub drain: Duration,
    /// Warnings about settings without effect.
    pub warnings: Vec<ConfigWarning>,
}

impl Default for ForwarderConfig {
    fn default() -> Self {
        Self {
            inputs: Vec::new(),
            limits: Limits::default(),
            node_events: false,
            destinations: Vec::new(),
            routes: Vec::new(),
            exclude: Vec::new(),
            redaction: Redaction::default(),
            sampling: Sampling::All,
            keep_failures: false,
            standard_metrics: true,
            live_metrics: None,
            resource_attributes: Vec::new(),
            storage: Storage::default(),
            health: None,
            statistics_interval: STATISTICS_INTERVAL,
            drain: DRAIN,
            warnings: Vec::new(),
        }
    }
}

/// An address on which a forwarder listens, and its protocol.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct InputConfig {
    /// The protocol.
    pub kind: InputKind,
    /// Host and port.
    pub address: String,
}

impl InputConfig {
    /// Makes an input at an address with host and port.
    #[must_use]
    pub fn new(kind: InputKind, address: impl Into<String>) -> Self {
        Self {
            kind,
            address: address.into(),
        }
    }
}

/// A protocol and its transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum InputKind {
    /// `contracts.AITelemetryService`.
    ApplicationInsightsGrpc,
    /// `POST /v2.1/track`.
    ApplicationInsightsHttp,
    /// The OpenCensus agent's services.
    OpenCensus,
    /// OTLP over gRPC.
    OtlpGrpc,
    /// OTLP over HTTP.
    OtlpHttp,
}

impl InputKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::ApplicationInsightsGrpc,
        Self::ApplicationInsightsHttp,
        Self::OpenCensus,
        Self::OtlpGrpc,
        Self::OtlpHttp,
    ];

    /// The key in the configuration.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::ApplicationInsightsGrpc => "application-insights-grpc",
            Self::ApplicationInsightsHttp => "application-insights-http",
            Self::OpenCensus => "opencensus",
            Self::OtlpGrpc => "otlp-grpc",
            Self::OtlpHttp => "otlp-http",
        }
    }
}

impl fmt::Display for InputKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ApplicationInsightsGrpc => "ApplicationInsights input",
            Self::ApplicationInsightsHttp => "ApplicationInsights HTTP input",
            Self::OpenCensus => "OpenCensus input",
            Self::OtlpGrpc => "OTLP gRPC input",
            Self::OtlpHttp => "OTLP HTTP input",
        })
    }
}

/// An Application Insights resource.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// The name, which routes refer to.
    pub name: String,
    /// The connection string.
    pub connection_string: String,
    /// The managed identity for Entra ID tokens, in the form of the environment variable
    /// `APPLICATIONINSIGHTS_AUTHENTICATION_STRING`, such as `Authorization=AAD;ClientId=…`; `none` for no token.
    /// Defaults to that variable.
    pub authentication: Option<String>,
    /// The instrumentation key of all Live Metrics. Defaults to the key of each item, which is that of the connection
    /// string if the item has none.
    pub live_metrics_key: Option<String>,
}

impl Destination {
    /// Makes a destination.
    #[must_use]
    pub fn new(name: impl Into<String>, connection_string: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            connection_string: connection_string.into(),
            authentication: None,
            live_metrics_key: None,
        }
    }

    /// Sets [`authentication`](Self::authentication).
    #[must_use]
    pub fn with_authentication(mut self, authentication: impl Into<String>) -> Self {
        self.authentication = Some(authentication.into());
        self
    }
}

/// Omits the connection string, which contains a key.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A rule that selects destinations by resource or instrumentation key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Required values of resource attributes, each a pattern with `*`.
    pub resource: Vec<(String, String)>,
    /// The required instrumentation key of an item.
    pub instrumentation_key: Option<String>,
    /// The names of the destinations. Each of them receives the items.
    pub to: Vec<String>,
}

/// A rule that excludes the items that meet every condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExcludeRule {
    /// The conditions. A rule without conditions matches no item.
    pub conditions: Vec<Condition>,
}

/// A condition on an item. Texts are patterns with `*`, which ignore the case of ASCII letters.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// The type: `request`, `dependency`, `exception`, `trace`, `customEvent`, `customMetric`,
    /// `availabilityResult`, `pageView`, `browserTiming`.
    Type(Vec<String>),
    /// The name, or the text of a message or an exception.
    Name(String),
    /// The role.
    Role(String),
    /// The URL of a request, or the data of a dependency.
    Url(String),
    /// The target of a dependency.
    Target(String),
    /// The result code of a request or a dependency.
    ResultCode(String),
    /// Whether a request or a dependency succeeded.
    Success(bool),
    /// A property with a value.
    Property(String, String),
}

/// The redaction of texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redaction {
    /// Names of properties whose values are replaced. Each name is a pattern with `*`.
    pub properties: Vec<String>,
    /// Names of properties that are removed. Each name is a pattern with `*`.
    pub remove: Vec<String>,
    /// Regular expressions whose matches are replaced in every text of an item.
    pub patterns: Vec<String>,
}

/// The kind of sampling.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum Sampling {
    /// Keeps all items.
    #[default]
    All,
    /// Keeps as many items as two budgets allow, like LocalForwarder.
    Adaptive(Adaptive),
    /// Keeps a share of the items, in percent: above 0, at most 100.
    Fixed(f64),
    /// Keeps at most this number of items a second, on average.
    RateLimited(f64),
}

/// The budgets of adaptive sampling.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adaptive {
    /// Custom events a second; at least 1. Defaults to 5.
    pub max_events_per_second: f64,
    /// Other items a second; at least 1. Defaults to 5.
    pub max_other_items_per_second: f64,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self {
            max_events_per_second: 5.0,
            max_other_items_per_second: 5.0,
        }
    }
}
