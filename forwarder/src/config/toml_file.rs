//! The forwarder's own configuration, in TOML.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use azmon::Storage;
use serde::Deserialize;

use crate::config::validate::{is_loopback, split};
use crate::config::{
    Adaptive, CONNECTION_STRING, Condition, ConfigError, DEFAULT_DESTINATION, Destination,
    ExcludeRule, ForwarderConfig, InputConfig, InputKind, Redaction, Route, Sampling,
};
use crate::inputs::Limits;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    inputs: Inputs,
    limits: FileLimits,
    destinations: BTreeMap<String, FileDestination>,
    routes: Vec<FileRoute>,
    exclude: Vec<FileExclude>,
    redact: FileRedact,
    sampling: FileSampling,
    storage: FileStorage,
    resource_attributes: Vec<String>,
    standard_metrics: bool,
    live_metrics: Option<bool>,
    health: Option<String>,
    statistics_seconds: Option<u64>,
    drain_seconds: Option<u64>,
}

impl Default for File {
    fn default() -> Self {
        Self {
            inputs: Inputs::default(),
            limits: FileLimits::default(),
            destinations: BTreeMap::new(),
            routes: Vec::new(),
            exclude: Vec::new(),
            redact: FileRedact::default(),
            sampling: FileSampling::default(),
            storage: FileStorage::default(),
            resource_attributes: Vec::new(),
            standard_metrics: true,
            live_metrics: None,
            health: None,
            statistics_seconds: None,
            drain_seconds: None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct Inputs {
    otlp_grpc: Option<String>,
    otlp_http: Option<String>,
    opencensus: Option<String>,
    application_insights_grpc: Option<String>,
    application_insights_http: Option<String>,
    node_events: bool,
    insecure_bind: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct FileLimits {
    message_bytes: Option<usize>,
    in_flight_bytes: Option<usize>,
    connections: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FileDestination {
    connection_string: String,
    authentication: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct FileRoute {
    resource: BTreeMap<String, String>,
    instrumentation_key: Option<String>,
    to: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct FileExclude {
    types: Vec<String>,
    name: Option<String>,
    role: Option<String>,
    url: Option<String>,
    target: Option<String>,
    result_code: Option<String>,
    success: Option<bool>,
    properties: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct FileRedact {
    properties: Vec<String>,
    remove: Vec<String>,
    patterns: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct FileSampling {
    kind: Kind,
    percent: Option<f64>,
    items_per_second: Option<f64>,
    max_events_per_second: Option<f64>,
    max_other_items_per_second: Option<f64>,
    keep_failures: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct FileStorage {
    off: bool,
    directory: Option<PathBuf>,
    max_megabytes: Option<u64>,
    max_hours: Option<u64>,
    durable: bool,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    All,
    Adaptive,
    Fixed,
    RateLimited,
}

impl ForwarderConfig {
    /// Reads a TOML configuration. `file` is the file name for error messages. The method does not
    /// [`validate`](Self::validate), so that the connection string of the destination `default` can be added
    /// afterwards.
    ///
    /// # Errors
    ///
    /// If the text is not valid TOML, has unknown keys, or has invalid values.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ConfigError> {
        let read: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map(|span| line_of(text, span.start));
            ConfigError::new(file, line, "", error.message().trim())
        })?;
        let mut config = Self {
            inputs: inputs(file, &read.inputs)?,
            limits: limits(&read.limits),
            node_events: read.inputs.node_events,
            destinations: destinations(read.destinations),
            routes: read.routes.into_iter().map(route).collect(),
            exclude: read.exclude.into_iter().map(exclude).collect(),
            redaction: Redaction {
                properties: read.redact.properties,
                remove: read.redact.remove,
                patterns: read.redact.patterns,
            },
            sampling: sampling(file, &read.sampling)?,
            keep_failures: read.sampling.keep_failures,
            storage: storage(read.storage),
            standard_metrics: read.standard_metrics,
            live_metrics: read.live_metrics,
            resource_attributes: read.resource_attributes,
            health: read.health,
            ..Self::default()
        };
        if let Some(seconds) = read.statistics_seconds {
            config.statistics_interval = Duration::from_secs(seconds.max(1));
        }
        if let Some(seconds) = read.drain_seconds {
            config.drain = Duration::from_secs(seconds);
        }
        if config.exclude.iter().any(|rule| rule.conditions.is_empty()) {
            let problem = "a rule without a condition would fit nothing; write one, such as name = \"GET /healthz\"";
            return Err(ConfigError::new(file, None, "exclude", problem));
        }
        config.warn_of_open_addresses(file);
        Ok(config)
    }

    /// Sets the connection string of the destination `default`, unless it has one.
    pub fn set_default_connection_string(&mut self, connection_string: impl Into<String>) {
        if self.default_destination().is_none() {
            let destination = Destination::new(DEFAULT_DESTINATION, connection_string);
            self.destinations.insert(0, destination);
        }
    }

    /// The destination `default`.
    #[must_use]
    pub fn default_destination(&self) -> Option<&Destination> {
        self.destinations
            .iter()
            .find(|destination| destination.name == DEFAULT_DESTINATION)
    }

    /// Adds the connection string from the environment variable [`CONNECTION_STRING`], unless the configuration
    /// has one. `lookup` looks up environment variables.
    pub fn or_environment(&mut self, lookup: impl Fn(&str) -> Option<String>) {
        if let Some(value) = lookup(CONNECTION_STRING).filter(|value| !value.is_empty()) {
            self.set_default_connection_string(value);
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

fn inputs(file: &str, read: &Inputs) -> Result<Vec<InputConfig>, ConfigError> {
    let addresses = [
        (InputKind::OtlpGrpc, &read.otlp_grpc),
        (InputKind::OtlpHttp, &read.otlp_http),
        (InputKind::OpenCensus, &read.opencensus),
        (
            InputKind::ApplicationInsightsGrpc,
            &read.application_insights_grpc,
        ),
        (
            InputKind::ApplicationInsightsHttp,
            &read.application_insights_http,
        ),
    ];
    let mut inputs = Vec::new();
    for (kind, address) in addresses {
        let Some(address) = address else {
            continue;
        };
        let is_open = split(address).is_some_and(|(host, _)| !is_loopback(host));
        if is_open && !read.insecure_bind {
            let problem = format!(
                "{address} is reached by other machines, without encryption and without asking who sends; \
                 listen on 127.0.0.1, or write insecure-bind = true"
            );
            return Err(ConfigError::new(file, None, kind.key(), problem));
        }
        inputs.push(InputConfig::new(kind, address.clone()));
    }
    Ok(inputs)
}

fn limits(read: &FileLimits) -> Limits {
    let default = Limits::default();
    Limits {
        message_bytes: read.message_bytes.unwrap_or(default.message_bytes),
        in_flight_bytes: read.in_flight_bytes.unwrap_or(default.in_flight_bytes),
        connections: read.connections.unwrap_or(default.connections),
        ..default
    }
}

fn destinations(read: BTreeMap<String, FileDestination>) -> Vec<Destination> {
    let read = read.into_iter();
    read.map(|(name, destination)| Destination {
        authentication: destination.authentication,
        ..Destination::new(name, destination.connection_string)
    })
    .collect()
}

fn route(read: FileRoute) -> Route {
    Route {
        resource: read.resource.into_iter().collect(),
        instrumentation_key: read.instrumentation_key,
        to: read.to,
    }
}

fn exclude(read: FileExclude) -> ExcludeRule {
    let types = Some(read.types).filter(|types| !types.is_empty());
    let conditions = [
        types.map(Condition::Type),
        read.name.map(Condition::Name),
        read.role.map(Condition::Role),
        read.url.map(Condition::Url),
        read.target.map(Condition::Target),
        read.result_code.map(Condition::ResultCode),
        read.success.map(Condition::Success),
    ];
    let properties = read.properties.into_iter();
    let properties = properties.map(|(key, value)| Condition::Property(key, value));
    ExcludeRule {
        conditions: conditions.into_iter().flatten().chain(properties).collect(),
    }
}

fn storage(read: FileStorage) -> Storage {
    let mut storage = match (read.off, read.directory) {
        (true, _) => Storage::off(),
        (false, Some(directory)) => Storage::at(directory),
        (false, None) => Storage::default(),
    };
    if let Some(megabytes) = read.max_megabytes {
        storage = storage.max_bytes(megabytes.saturating_mul(1_000_000));
    }
    if let Some(hours) = read.max_hours {
        storage = storage.max_age(Duration::from_secs(hours.saturating_mul(60 * 60)));
    }
    storage.durable(read.durable)
}

fn sampling(file: &str, read: &FileSampling) -> Result<Sampling, ConfigError> {
    let missing = |key: &str| {
        let problem = format!("this kind of sampling needs {key}");
        ConfigError::new(file, None, "sampling", problem)
    };
    let budgets = Adaptive::default();
    Ok(match read.kind {
        Kind::All => Sampling::All,
        Kind::Adaptive => Sampling::Adaptive(Adaptive {
            max_events_per_second: read
                .max_events_per_second
                .unwrap_or(budgets.max_events_per_second),
            max_other_items_per_second: read
                .max_other_items_per_second
                .unwrap_or(budgets.max_other_items_per_second),
        }),
        Kind::Fixed => Sampling::Fixed(read.percent.ok_or_else(|| missing("percent"))?),
        Kind::RateLimited => Sampling::RateLimited(
            read.items_per_second
                .ok_or_else(|| missing("items-per-second"))?,
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "InstrumentationKey=00000000-0000-0000-0000-000000000001";

    #[test]
    fn everything_is_read() {
        let config = ForwarderConfig::from_toml(
            "f.toml",
            r#"
                resource-attributes = ["deployment.environment.name"]
                standard-metrics = false
                live-metrics = false
                health = "127.0.0.1:9464"
                statistics-seconds = 30
                drain-seconds = 5
                [inputs]
                otlp-grpc = "127.0.0.1:4317"
                opencensus = "[::1]:55678"
                node-events = true
                [limits]
                message-bytes = 1000
                [destinations.default]
                connection-string = "InstrumentationKey=00000000-0000-0000-0000-000000000001"
                [destinations.audit]
                connection-string = "InstrumentationKey=00000000-0000-0000-0000-000000000002"
                [[routes]]
                resource = { "service.name" = "billing*" }
                to = ["audit", "default"]
                [[exclude]]
                types = ["request"]
                name = "GET /healthz"
                success = true
                [redact]
                properties = ["*password*"]
                patterns = ['\d{16}']
                [storage]
                directory = "/var/lib/azmon"
                max-megabytes = 200
                durable = true
                [sampling]
                kind = "adaptive"
                max-events-per-second = 23
                keep-failures = true
            "#,
        )
        .unwrap();
        config.validate("f.toml").unwrap();
        assert_eq!(
            config.inputs,
            [
                InputConfig::new(InputKind::OtlpGrpc, "127.0.0.1:4317"),
                InputConfig::new(InputKind::OpenCensus, "[::1]:55678"),
            ]
        );
        assert_eq!(config.limits.message_bytes, 1_000);
        let storage = Storage::at("/var/lib/azmon").max_bytes(200_000_000);
        assert_eq!(config.storage, storage.durable(true));
        let names: Vec<_> = config
            .destinations
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["audit", "default"]);
        assert_eq!(config.routes[0].to, ["audit", "default"]);
        let conditions = [
            Condition::Type(vec!["request".to_owned()]),
            Condition::Name("GET /healthz".to_owned()),
            Condition::Success(true),
        ];
        assert_eq!(config.exclude[0].conditions, conditions);
        let budgets = Adaptive {
            max_events_per_second: 23.0,
            max_other_items_per_second: 5.0,
        };
        assert_eq!(config.sampling, Sampling::Adaptive(budgets));
        assert!(config.keep_failures && config.node_events && !config.standard_metrics);
        assert_eq!(config.live_metrics, Some(false));
        assert_eq!(config.statistics_interval, Duration::from_secs(30));
        assert!(!format!("{config:?}").contains("InstrumentationKey"));
    }

    #[test]
    fn errors_name_the_place_and_the_remedy() {
        let inputs = "[inputs]\notlp-grpc = \"127.0.0.1:4317\"\n";
        for (text, expected) in [
            ("[inputs]\n\nsomething = 1", "f.toml:3"),
            ("[inputs\n", "f.toml:1"),
            (
                "[inputs]\notlp-http = \"0.0.0.0:4318\"",
                "otlp-http: 0.0.0.0:4318 is reached by other machines",
            ),
            (
                "[sampling]\nkind = \"fixed\"",
                "sampling: this kind of sampling needs percent",
            ),
            ("[[exclude]]\n", "exclude: a rule without a condition"),
        ] {
            let error = ForwarderConfig::from_toml("f.toml", text).unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
        let destination = format!("[destinations.default]\nconnection-string = \"{KEY}\"\n");
        for (text, expected) in [
            (
                inputs.to_owned(),
                "set APPLICATIONINSIGHTS_CONNECTION_STRING",
            ),
            (destination.clone(), "no input is on"),
            (
                format!("{inputs}otlp-http = \"localhost:4317\"\n{destination}"),
                "is that of another input",
            ),
            (
                format!("[inputs]\notlp-grpc = \"127.0.0.1:x\"\n{destination}"),
                "\"127.0.0.1:x\" is no address",
            ),
            (
                format!("{inputs}{destination}[[routes]]\nto = [\"x\"]"),
                "routes[0]: there is no destination \"x\"",
            ),
            (
                format!("{inputs}{destination}[sampling]\nkind = \"fixed\"\npercent = 0"),
                "0 is no percentage",
            ),
            (
                format!("{inputs}{destination}[redact]\npatterns = [\"(\"]"),
                "redact.patterns",
            ),
            (
                format!("{inputs}[destinations.default]\nconnection-string = \"x\""),
                "destinations.default: the connection string is invalid",
            ),
        ] {
            let config = ForwarderConfig::from_toml("f.toml", &text).unwrap();
            let error = config.validate("f.toml").unwrap_err();
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn the_environment_has_the_last_word_only_where_the_file_has_none() {
        let of = |text: &str| {
            let mut config = ForwarderConfig::from_toml("f.toml", text).unwrap();
            config.or_environment(|name| (name == CONNECTION_STRING).then(|| "env".to_owned()));
            config
                .default_destination()
                .unwrap()
                .connection_string
                .clone()
        };
        assert_eq!(of(""), "env");
        let file = format!("[destinations.default]\nconnection-string = \"{KEY}\"");
        assert_eq!(of(&file), KEY);
    }
}
