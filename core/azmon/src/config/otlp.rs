//! The endpoints of OTLP, if it is enabled.

use std::time::Duration;

use opentelemetry::otel_warn;

use crate::config::environment::{
    OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_LOGS_ENDPOINT,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL, OTEL_EXPORTER_OTLP_TIMEOUT,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT,
};

/// The default endpoint of the OTLP specification.
const DEFAULT: &str = "http://localhost:4318";

/// The default timeout of the OTLP specification.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The OTLP setting of the code.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "otlp"),
    expect(dead_code, reason = "only the feature lets code choose")
)]
pub(crate) enum OtlpChoice {
    /// Send to the endpoint of the environment, or to the default one.
    Default,
    /// Send to this collector.
    Endpoint(String),
}

/// The OTLP endpoints, by signal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtlpEndpoints {
    pub(crate) traces: Option<String>,
    pub(crate) logs: Option<String>,
    pub(crate) metrics: Option<String>,
    /// Timeout of an export.
    pub(crate) timeout: Duration,
}

/// Decides whether OTLP is enabled, and its endpoints. A variable of the environment is enough to enable it.
///
/// The URL in a signal's own variable is used unchanged; the collector's URL is extended by the signal's path.
pub(super) fn resolve(
    choice: Option<&OtlpChoice>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Option<OtlpEndpoints> {
    if !cfg!(feature = "otlp") {
        return None;
    }
    let base = match choice {
        Some(OtlpChoice::Endpoint(endpoint)) => Some(endpoint.clone()),
        Some(OtlpChoice::Default) | None => environment(OTEL_EXPORTER_OTLP_ENDPOINT),
    };
    let base = base.or_else(|| choice.map(|_| DEFAULT.to_owned()));
    let chosen = matches!(choice, Some(OtlpChoice::Endpoint(_)));
    let of_signal = |variable, path| {
        let own = environment(variable).filter(|_| !chosen);
        let common = || {
            let base = base.as_ref()?.trim_end_matches('/');
            Some(format!("{base}/v1/{path}"))
        };
        own.or_else(common)
    };
    let endpoints = OtlpEndpoints {
        traces: of_signal(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "traces"),
        logs: of_signal(OTEL_EXPORTER_OTLP_LOGS_ENDPOINT, "logs"),
        metrics: of_signal(OTEL_EXPORTER_OTLP_METRICS_ENDPOINT, "metrics"),
        timeout: timeout(environment),
    };
    let OtlpEndpoints {
        traces,
        logs,
        metrics,
        ..
    } = &endpoints;
    if [traces, logs, metrics].into_iter().all(Option::is_none) {
        return None;
    }
    warn_of_other_protocols(environment);
    Some(endpoints)
}

fn timeout(environment: &dyn Fn(&str) -> Option<String>) -> Duration {
    let milliseconds = environment(OTEL_EXPORTER_OTLP_TIMEOUT);
    let milliseconds = milliseconds.and_then(|text| text.trim().parse().ok());
    let timeout = milliseconds.map(Duration::from_millis);
    timeout
        .filter(|timeout| !timeout.is_zero())
        .unwrap_or(DEFAULT_TIMEOUT)
}

fn warn_of_other_protocols(environment: &dyn Fn(&str) -> Option<String>) {
    if let Some(protocol) = environment(OTEL_EXPORTER_OTLP_PROTOCOL)
        && protocol.trim() != "http/protobuf"
    {
        otel_warn!(name: "Config.OtlpProtocolNotSupported", variable = OTEL_EXPORTER_OTLP_PROTOCOL, value = protocol.as_str());
    }
}

#[cfg(all(test, feature = "otlp"))]
mod tests {
    use super::*;

    fn resolved(
        choice: Option<OtlpChoice>,
        variables: &[(&str, &str)],
    ) -> Option<[Option<String>; 3]> {
        let endpoints = resolve(choice.as_ref(), &|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        });
        endpoints.map(|endpoints| [endpoints.traces, endpoints.logs, endpoints.metrics])
    }

    fn all(base: &str) -> Option<[Option<String>; 3]> {
        let endpoint = |signal| Some(format!("{base}/v1/{signal}"));
        Some(["traces", "logs", "metrics"].map(endpoint))
    }

    #[test]
    fn there_is_otlp_only_if_code_or_environment_ask_for_it() {
        let variable = [(OTEL_EXPORTER_OTLP_ENDPOINT, "http://collector:4318/")];
        assert_eq!(resolved(None, &[]), None);
        assert_eq!(resolved(None, &variable), all("http://collector:4318"));
        assert_eq!(
            resolved(Some(OtlpChoice::Default), &[]),
            all("http://localhost:4318")
        );
        assert_eq!(
            resolved(Some(OtlpChoice::Default), &variable),
            all("http://collector:4318")
        );
        let code = OtlpChoice::Endpoint("http://code/base".to_owned());
        assert_eq!(resolved(Some(code), &variable), all("http://code/base"));
    }

    #[test]
    fn a_collector_has_ten_seconds_unless_the_environment_says() {
        let timeout =
            |text: &str| timeout(&|_| Some(text.to_owned()).filter(|text| !text.is_empty()));
        assert_eq!(timeout(""), DEFAULT_TIMEOUT);
        assert_eq!(timeout("2500"), Duration::from_millis(2_500));
        assert_eq!(timeout("0"), DEFAULT_TIMEOUT);
        assert_eq!(timeout("soon"), DEFAULT_TIMEOUT);
    }

    #[test]
    fn a_signals_own_variable_is_taken_as_it_is() {
        let variables = [
            (OTEL_EXPORTER_OTLP_ENDPOINT, "http://collector"),
            (OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "http://traces/in"),
        ];
        let expected = [
            "http://traces/in",
            "http://collector/v1/logs",
            "http://collector/v1/metrics",
        ]
        .map(|endpoint| Some(endpoint.to_owned()));
        assert_eq!(resolved(None, &variables), Some(expected));
    }

    #[test]
    fn one_signals_variable_alone_is_otlp_for_that_signal() {
        let variable = [(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, "http://traces/in")];
        let expected = [Some("http://traces/in".to_owned()), None, None];
        assert_eq!(resolved(None, &variable), Some(expected));
    }
}
