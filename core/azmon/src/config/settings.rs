//! All settings, resolved.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanLimits;

use crate::config::environment::{
    APPINSIGHTS_INSTRUMENTATIONKEY, APPLICATIONINSIGHTS_CONNECTION_STRING, AZMON_MAX_QUEUE_BYTES,
    OTEL_BSP_MAX_QUEUE_SIZE, OTEL_BSP_SCHEDULE_DELAY, OTEL_SDK_DISABLED,
};
use crate::config::parse::number;
use crate::config::{
    LiveSettings, MetricChoices, OtlpChoice, OtlpEndpoints, delivery, metrics, otlp, resource,
    sampler, span_limits,
};
use crate::connection_string::{ConnectionString, ParseConnectionStringError};
use crate::error::BuildErrorKind;
use crate::item::QueueLimits;
use crate::metrics::BuiltinOptions;
use crate::sampling::{Sampling, SamplingChoices};
use crate::storage::{Storage, StorageSettings};
use crate::token::TokenProvider;
use crate::transmission::NetworkSettings;

/// Looks up an environment variable.
pub(crate) type Lookup = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// The settings that the code set. For `None` the environment applies, and then the default.
#[derive(Default)]
pub(crate) struct Choices {
    pub(crate) connection_string: Option<String>,
    pub(crate) resource: Vec<KeyValue>,
    pub(crate) sampling: SamplingChoices,
    pub(crate) max_export_delay: Option<Duration>,
    pub(crate) max_queue_items: Option<usize>,
    pub(crate) max_queue_bytes: Option<usize>,
    pub(crate) metrics: MetricChoices,
    pub(crate) otlp: Option<OtlpChoice>,
    pub(crate) storage: Option<Storage>,
    pub(crate) durable: Option<bool>,
    pub(crate) token_provider: Option<Arc<dyn TokenProvider>>,
    pub(crate) http_client: Option<reqwest::Client>,
    pub(crate) certificates: Option<PathBuf>,
    pub(crate) live_metrics: Option<bool>,
}

/// All settings, resolved from code, environment and default.
#[derive(Debug)]
pub(crate) struct Settings {
    /// `None` if neither the code nor the environment sets one.
    pub(crate) connection_string: Option<ConnectionString>,
    pub(crate) disabled: bool,
    pub(crate) resource: Resource,
    pub(crate) sampling: Sampling,
    pub(crate) span_limits: SpanLimits,
    pub(crate) max_export_delay: Duration,
    pub(crate) queue_limits: QueueLimits,
    pub(crate) metrics: BuiltinOptions,
    pub(crate) metric_namespaces: Option<bool>,
    /// `None` if OTLP is disabled.
    pub(crate) otlp: Option<OtlpEndpoints>,
    pub(crate) storage: StorageSettings,
    pub(crate) network: NetworkSettings,
    /// `None` for no live metrics.
    pub(crate) live: Option<LiveSettings>,
}

const MAX_EXPORT_DELAY: Duration = Duration::from_secs(1);
const MAX_QUEUE_ITEMS: usize = 65_536;
const MAX_QUEUE_BYTES: usize = 64 << 20;
/// Number of queued items that wakes the worker before its delay is over.
const BATCH: usize = 2_048;

impl Settings {
    /// Resolves every setting.
    ///
    /// An empty environment variable counts as absent. An unreadable number is reported and ignored. An unreadable
    /// connection string is an error, because azmon cannot work without it.
    pub(crate) fn resolve(
        choices: Choices,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, BuildErrorKind> {
        let environment = &|name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let metrics = metrics::resolve(&choices.metrics, environment);
        let mut sampling = sampler::resolve(choices.sampling, environment);
        // The standard metrics and the counter of requests per second also count unsampled spans.
        sampling.record_unsampled |= metrics.standard_metrics || metrics.performance_counters;
        let connection_string = connection_string(choices.connection_string, environment)?;
        let live = delivery::live(
            connection_string.as_ref(),
            choices.live_metrics,
            environment,
        );
        // While a reader is subscribed, spans that are not kept are recorded, too.
        sampling.record_while = live.as_ref().map(|live| live.is_watched.clone());
        let network = delivery::network(
            connection_string.as_ref(),
            delivery::NetworkChoices {
                token_provider: choices.token_provider,
                http_client: choices.http_client,
                certificates: choices.certificates,
            },
            environment,
        )?;
        Ok(Self {
            storage: delivery::storage(
                choices.storage,
                choices.durable,
                connection_string.as_ref(),
                environment,
            ),
            network,
            live,
            connection_string,
            disabled: environment(OTEL_SDK_DISABLED)
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("true")),
            resource: resource::resolve(choices.resource, environment),
            sampling: sampling.into(),
            span_limits: span_limits::resolve(environment),
            max_export_delay: choices
                .max_export_delay
                .or_else(|| number(environment, OTEL_BSP_SCHEDULE_DELAY).map(Duration::from_millis))
                .unwrap_or(MAX_EXPORT_DELAY),
            queue_limits: queue_limits(
                choices.max_queue_items,
                choices.max_queue_bytes,
                environment,
            ),
            metrics,
            metric_namespaces: metrics::namespaces(environment),
            otlp: otlp::resolve(choices.otlp.as_ref(), environment),
        })
    }
}

fn queue_limits(
    items: Option<usize>,
    bytes: Option<usize>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> QueueLimits {
    let items = items
        .or_else(|| number(environment, OTEL_BSP_MAX_QUEUE_SIZE))
        .unwrap_or(MAX_QUEUE_ITEMS);
    let bytes = bytes
        .or_else(|| number(environment, AZMON_MAX_QUEUE_BYTES))
        .unwrap_or(MAX_QUEUE_BYTES);
    QueueLimits {
        items,
        bytes,
        batch: BATCH.min(items),
    }
}

fn connection_string(
    code: Option<String>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<ConnectionString>, ParseConnectionStringError> {
    if let Some(text) = code.or_else(|| environment(APPLICATIONINSIGHTS_CONNECTION_STRING)) {
        return text.parse().map(Some);
    }
    environment(APPINSIGHTS_INSTRUMENTATIONKEY)
        .map(|key| ConnectionString::from_instrumentation_key(&key))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "InstrumentationKey=code;IngestionEndpoint=http://code";
    const VARIABLE: &str = "InstrumentationKey=variable;IngestionEndpoint=http://variable";

    fn resolved(choices: Choices, variables: &[(&str, &str)]) -> Settings {
        Settings::resolve(choices, &|name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
        .unwrap()
    }

    fn key(settings: &Settings) -> Option<&str> {
        settings
            .connection_string
            .as_ref()
            .map(ConnectionString::instrumentation_key)
    }

    #[test]
    fn without_code_and_environment_the_defaults_hold() {
        let settings = resolved(Choices::default(), &[]);
        assert_eq!(settings.connection_string, None);
        assert!(!settings.disabled);
        assert_eq!(settings.max_export_delay, Duration::from_secs(1));
        assert_eq!(settings.queue_limits.items, 65_536);
        assert_eq!(settings.queue_limits.bytes, 67_108_864);
    }

    #[test]
    fn the_connection_string_of_the_code_wins_then_the_variable_then_the_bare_key() {
        let string = (APPLICATIONINSIGHTS_CONNECTION_STRING, VARIABLE);
        let bare = (APPINSIGHTS_INSTRUMENTATIONKEY, "bare");
        let code = Choices {
            connection_string: Some(CODE.to_owned()),
            ..Choices::default()
        };
        assert_eq!(key(&resolved(code, &[string, bare])), Some("code"));
        assert_eq!(
            key(&resolved(Choices::default(), &[string, bare])),
            Some("variable")
        );
        assert_eq!(key(&resolved(Choices::default(), &[bare])), Some("bare"));
    }

    #[test]
    fn live_metrics_are_on_where_there_is_an_endpoint_unless_code_or_environment_say_no() {
        const LIVE: &str = "InstrumentationKey=k;LiveEndpoint=http://live";
        for (connection, code, variable, is_on) in [
            (LIVE, None, "", true),
            ("InstrumentationKey=k", None, "", true),
            (CODE, None, "", false),
            (LIVE, None, "false", false),
            (LIVE, Some(true), "false", true),
            (LIVE, Some(false), "true", false),
        ] {
            let choices = Choices {
                connection_string: Some(connection.to_owned()),
                live_metrics: code,
                ..Choices::default()
            };
            let settings = resolved(choices, &[("AZMON_LIVE_METRICS", variable)]);
            assert_eq!(
                settings.live.is_some(),
                is_on,
                "{connection} {code:?} {variable}"
            );
        }
        assert!(resolved(Choices::default(), &[]).live.is_none());
    }

    #[test]
    fn an_empty_variable_is_absent() {
        let empty = [
            (APPLICATIONINSIGHTS_CONNECTION_STRING, " "),
            (OTEL_BSP_MAX_QUEUE_SIZE, ""),
        ];
        let settings = resolved(Choices::default(), &empty);
        assert_eq!(settings.connection_string, None);
        assert_eq!(settings.queue_limits.items, 65_536);
    }

    #[test]
    fn a_bad_connection_string_is_an_error() {
        let choices = Choices {
            connection_string: Some("x".to_owned()),
            ..Choices::default()
        };
        assert!(Settings::resolve(choices, &|_| None).is_err());
    }

    #[test]
    fn the_sdk_is_disabled_by_its_variable_alone() {
        for (value, disabled) in [
            ("true", true),
            ("TRUE", true),
            ("false", false),
            ("1", false),
        ] {
            let settings = resolved(Choices::default(), &[(OTEL_SDK_DISABLED, value)]);
            assert_eq!(settings.disabled, disabled, "{value}");
        }
    }

    #[test]
    fn numbers_come_from_code_then_environment_and_bad_ones_are_left_out() {
        let variables = [
            (OTEL_BSP_SCHEDULE_DELAY, "250"),
            (OTEL_BSP_MAX_QUEUE_SIZE, "many"),
            (AZMON_MAX_QUEUE_BYTES, "9"),
        ];
        let settings = resolved(Choices::default(), &variables);
        assert_eq!(settings.max_export_delay, Duration::from_millis(250));
        assert_eq!(settings.queue_limits.items, 65_536);
        assert_eq!(settings.queue_limits.bytes, 9);
        let choices = Choices {
            max_queue_bytes: Some(7),
            ..Choices::default()
        };
        assert_eq!(resolved(choices, &variables).queue_limits.bytes, 7);
    }
}
