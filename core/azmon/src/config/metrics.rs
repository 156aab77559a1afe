use std::time::Duration;

use crate::config::environment::{
    AKS_ARM_NAMESPACE_ID, APPLICATION_INSIGHTS_NO_STANDARD_METRICS,
    APPLICATIONINSIGHTS_METRIC_NAMESPACE_OPT_IN, APPLICATIONINSIGHTS_SDKSTATS_DISABLED,
    APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL, AZMON_PERFORMANCE_COUNTERS,
    FUNCTIONS_WORKER_RUNTIME, KUBERNETES_SERVICE_HOST, OTEL_METRIC_EXPORT_INTERVAL,
    WEBSITE_SITE_NAME,
};
use crate::config::parse::{flag, positive};
use crate::metrics::BuiltinOptions;

/// The metric settings that the code set.
#[derive(Debug, Default)]
pub(crate) struct MetricChoices {
    pub(crate) interval: Option<Duration>,
    pub(crate) standard_metrics: Option<bool>,
    pub(crate) performance_counters: Option<bool>,
    pub(crate) sdk_statistics: Option<bool>,
    pub(crate) sdk_statistics_interval: Option<Duration>,
}

const INTERVAL: Duration = Duration::from_secs(60);
/// Each collection produces items that are billed.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
const STATISTICS_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// Variables that identify the host, with the official SDKs' name for it.
const COMPUTE_TYPES: [(&str, &str); 4] = [
    (FUNCTIONS_WORKER_RUNTIME, "functions"),
    (WEBSITE_SITE_NAME, "appsvc"),
    (AKS_ARM_NAMESPACE_ID, "aks"),
    (KUBERNETES_SERVICE_HOST, "aks"),
];

pub(super) fn resolve(
    choices: &MetricChoices,
    environment: &dyn Fn(&str) -> Option<String>,
) -> BuiltinOptions {
    let is_off = |variable| flag(environment, variable).unwrap_or_default();
    let statistics = choices
        .sdk_statistics
        .unwrap_or_else(|| !is_off(APPLICATIONINSIGHTS_SDKSTATS_DISABLED));
    let statistics_interval = || {
        choices
            .sdk_statistics_interval
            .or_else(|| {
                let variable = APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL;
                positive(environment, variable).map(Duration::from_secs)
            })
            .filter(|interval| !interval.is_zero())
            .unwrap_or(STATISTICS_INTERVAL)
    };
    BuiltinOptions {
        standard_metrics: choices
            .standard_metrics
            .unwrap_or_else(|| !is_off(APPLICATION_INSIGHTS_NO_STANDARD_METRICS)),
        performance_counters: choices
            .performance_counters
            .or_else(|| flag(environment, AZMON_PERFORMANCE_COUNTERS))
            .unwrap_or(true),
        interval: choices
            .interval
            .filter(|interval| !interval.is_zero())
            .or_else(|| {
                positive(environment, OTEL_METRIC_EXPORT_INTERVAL).map(Duration::from_millis)
            })
            .map_or(INTERVAL, |interval| interval.max(SHORTEST_INTERVAL)),
        statistics_interval: statistics.then(statistics_interval),
        compute_type: COMPUTE_TYPES
            .iter()
            .find(|(variable, _)| environment(variable).is_some())
            .map_or("unknown", |(_, compute_type)| compute_type),
    }
}

/// Whether metrics have namespaces, if the environment sets it.
pub(super) fn namespaces(environment: &dyn Fn(&str) -> Option<String>) -> Option<bool> {
    flag(environment, APPLICATIONINSIGHTS_METRIC_NAMESPACE_OPT_IN)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(choices: &MetricChoices, variables: &[(&str, &str)]) -> BuiltinOptions {
        resolve(choices, &|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn everything_is_on_by_default() {
        let options = resolved(&MetricChoices::default(), &[]);
        assert!(options.standard_metrics && options.performance_counters);
        assert_eq!(options.interval, Duration::from_secs(60));
        assert_eq!(options.statistics_interval, Some(Duration::from_secs(900)));
        assert_eq!(options.compute_type, "unknown");
    }

    #[test]
    fn the_environment_switches_off_and_sets_intervals() {
        let options = resolved(
            &MetricChoices::default(),
            &[
                (APPLICATION_INSIGHTS_NO_STANDARD_METRICS, "TRUE"),
                (AZMON_PERFORMANCE_COUNTERS, "false"),
                (OTEL_METRIC_EXPORT_INTERVAL, "5000"),
                (APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL, "30"),
                (KUBERNETES_SERVICE_HOST, "10.0.0.1"),
            ],
        );
        assert!(!options.standard_metrics && !options.performance_counters);
        assert_eq!(options.interval, Duration::from_secs(5));
        assert_eq!(options.statistics_interval, Some(Duration::from_secs(30)));
        assert_eq!(options.compute_type, "aks");
        let off = [(APPLICATIONINSIGHTS_SDKSTATS_DISABLED, "true")];
        let options = resolved(&MetricChoices::default(), &off);
        assert_eq!(options.statistics_interval, None);
    }

    #[test]
    fn no_interval_at_all_is_the_default_and_a_short_one_is_longer() {
        for (value, interval) in [("0", 60_000), ("1", 100), ("-1", 60_000), ("100", 100)] {
            let variable = [(OTEL_METRIC_EXPORT_INTERVAL, value)];
            let options = resolved(&MetricChoices::default(), &variable);
            assert_eq!(options.interval, Duration::from_millis(interval), "{value}");
        }
        let choices = MetricChoices {
            interval: Some(Duration::ZERO),
            ..MetricChoices::default()
        };
        assert_eq!(resolved(&choices, &[]).interval, INTERVAL);
    }

    #[test]
    fn code_beats_the_environment() {
        let choices = MetricChoices {
            interval: Some(Duration::from_secs(1)),
            standard_metrics: Some(true),
            performance_counters: Some(true),
            sdk_statistics: Some(true),
            sdk_statistics_interval: Some(Duration::from_secs(2)),
        };
        let options = resolved(
            &choices,
            &[
                (APPLICATION_INSIGHTS_NO_STANDARD_METRICS, "true"),
                (AZMON_PERFORMANCE_COUNTERS, "false"),
                (OTEL_METRIC_EXPORT_INTERVAL, "5000"),
                (APPLICATIONINSIGHTS_SDKSTATS_DISABLED, "true"),
            ],
        );
        assert!(options.standard_metrics && options.performance_counters);
        assert_eq!(options.interval, Duration::from_secs(1));
        assert_eq!(options.statistics_interval, Some(Duration::from_secs(2)));
    }
}
