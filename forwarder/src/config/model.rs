use std::fmt;
use std::time::Duration;

use azmon::Storage;

use crate::config::ConfigWarning;
use crate::inputs::Limits;

/// The destination that takes what no route sends elsewhere.
pub const DEFAULT_DESTINATION: &str = "default";

/// The variable with the connection string of the destination `default`.
pub const CONNECTION_STRING: &str = "APPLICATIONINSIGHTS_CONNECTION_STRING";

/// How often statistics are said: LocalForwarder's interval.
const STATISTICS_INTERVAL: Duration = Duration::from_secs(60);
/// How long a forwarder that is told to end sends what it has.
const DRAIN: Duration = Duration::from_secs(10);

/// What a forwarder does.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ForwarderConfig {
    /// What it listens to.
    pub inputs: Vec<InputConfig>,
    /// How much the inputs take at once.
    pub limits: Limits,
    /// Whether OpenCensus nodes make custom events. Defaults to `false`.
    pub node_events: bool,
    /// Where telemetry goes. One is called `default`, unless every route has a destination.
    pub destinations: Vec<Destination>,
    /// Who sends where; the first route that fits decides.
    pub routes: Vec<Route>,
    /// What is left out.
    pub exclude: Vec<ExcludeRule>,
    /// What is made unreadable.
    pub redaction: Redaction,
    /// How much is kept. Defaults to all.
    pub sampling: Sampling,
    /// Whether failed requests, failed dependencies and exceptions are kept whatever the sampling says.
    /// Defaults to `false`.
    pub keep_failures: bool,
    /// Whether requests and dependencies are counted before sampling, as standard metrics. Defaults to `true`.
    pub standard_metrics: bool,
    /// Attributes of resources that become properties of every item.
    pub resource_attributes: Vec<String>,
    /// Where telemetry waits that a destination cannot take at the moment. Defaults to files below the user's cache
    /// directory.
    pub storage: Storage,
    /// Where health and metrics are served; nowhere by default.
    pub health: Option<String>,
    /// How often statistics are said. Defaults to 60 s.
    pub statistics_interval: Duration,
    /// How long the forwarder sends what it has when it is told to end. Defaults to 10 s.
    pub drain: Duration,
    /// What the file says without effect.
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
            resource_attributes: Vec::new(),
            storage: Storage::default(),
            health: None,
            statistics_interval: STATISTICS_INTERVAL,
            drain: DRAIN,
            warnings: Vec::new(),
        }
    }
}

/// One thing that a forwarder listens to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct InputConfig {
    /// The protocol.
    pub kind: InputKind,
    /// Host and port.
    pub address: String,
}

impl InputConfig {
    /// An input at an address, host and port.
    #[must_use]
    pub fn new(kind: InputKind, address: impl Into<String>) -> Self {
        Self {
            kind,
            address: address.into(),
        }
    }
}

/// A protocol, and how it is carried.
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

/// A resource of Application Insights.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Destination {
    /// The name, by which routes find it.
    pub name: String,
    /// The connection string.
    pub connection_string: String,
    /// The identity whose tokens of Entra ID the destination gets, in the form of
    /// `APPLICATIONINSIGHTS_AUTHENTICATION_STRING`, such as `Authorization=AAD;ClientId=…`; `none` for no token. Defaults
    /// to that variable.
    pub authentication: Option<String>,
}

impl Destination {
    /// A destination of a name.
    #[must_use]
    pub fn new(name: impl Into<String>, connection_string: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            connection_string: connection_string.into(),
            authentication: None,
        }
    }

    /// Sets [`authentication`](Self::authentication).
    #[must_use]
    pub fn with_authentication(mut self, authentication: impl Into<String>) -> Self {
        self.authentication = Some(authentication.into());
        self
    }
}

/// Without the connection string, which holds a key.
impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Destination")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Who sends where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route {
    /// Attributes of the resource that must have these values, each a pattern with `*`.
    pub resource: Vec<(String, String)>,
    /// The instrumentation key that items must have.
    pub instrumentation_key: Option<String>,
    /// Names of the destinations, each of which gets the items.
    pub to: Vec<String>,
}

/// Items that are left out: those that fit every condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExcludeRule {
    /// The conditions; without one, nothing fits.
    pub conditions: Vec<Condition>,
}

/// A condition of an item. Texts are patterns with `*`, and ignore no case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// The type: `request`, `dependency`, `exception`, `trace`, `customEvent`, `customMetric`,
    /// `availabilityResult`, `pageView`, `browserTiming`.
    Type(Vec<String>),
    /// The name; the text of a message or an exception.
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

/// What is made unreadable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redaction {
    /// Names of properties whose values are replaced: patterns with `*`.
    pub properties: Vec<String>,
    /// Names of properties that are removed: patterns with `*`.
    pub remove: Vec<String>,
    /// Regular expressions; what they match is replaced in every text of an item.
    pub patterns: Vec<String>,
}

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum Sampling {
    /// All.
    #[default]
    All,
    /// As much as two budgets allow, as LocalForwarder did.
    Adaptive(Adaptive),
    /// A share, in percent, above 0 and at most 100.
    Fixed(f64),
    /// At most so many items a second, on average.
    RateLimited(f64),
}

/// Two budgets.
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
