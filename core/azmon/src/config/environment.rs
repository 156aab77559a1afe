//! The environment variables that azmon reads.

/// The connection string. Copy it from the Azure portal, or from the output of `azmon portal`.
pub const APPLICATIONINSIGHTS_CONNECTION_STRING: &str = "APPLICATIONINSIGHTS_CONNECTION_STRING";

/// A bare instrumentation key for the public cloud; used only without a connection string.
pub const APPINSIGHTS_INSTRUMENTATIONKEY: &str = "APPINSIGHTS_INSTRUMENTATIONKEY";

/// Name of the service: the role in Azure Monitor.
pub const OTEL_SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

/// Attributes of the resource: `key=value,key=value`, percent-encoded.
pub const OTEL_RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// The sampler: `always_on` (default), `always_off`, `traceidratio`, or one of these after
/// `parentbased_`; or `microsoft.fixed_percentage` or `microsoft.rate_limited`.
///
/// [`sampling`](crate::sampling) documents their effect.
pub const OTEL_TRACES_SAMPLER: &str = "OTEL_TRACES_SAMPLER";

/// The argument of the sampler: for `traceidratio` and `microsoft.fixed_percentage` the share of traces to keep, from 0
/// to 1, by default 1; for `microsoft.rate_limited` the number of traces per second to keep, by default 5.
pub const OTEL_TRACES_SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Maximum number of attributes of a span. Defaults to 128.
pub const OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: &str = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT";

/// Maximum number of events of a span. Defaults to 128.
pub const OTEL_SPAN_EVENT_COUNT_LIMIT: &str = "OTEL_SPAN_EVENT_COUNT_LIMIT";

/// Maximum number of links of a span. Defaults to 128.
pub const OTEL_SPAN_LINK_COUNT_LIMIT: &str = "OTEL_SPAN_LINK_COUNT_LIMIT";

/// `true` disables telemetry and overrides the code. Context is still propagated.
pub const OTEL_SDK_DISABLED: &str = "OTEL_SDK_DISABLED";

/// Maximum time that a span or a log record waits for its batch to fill, in milliseconds. Defaults to 1000.
pub const OTEL_BSP_SCHEDULE_DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";

/// Maximum number of spans and log records that wait to be sent. Defaults to 65,536.
pub const OTEL_BSP_MAX_QUEUE_SIZE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";

/// Maximum memory of the spans and log records that wait to be sent, in bytes, as azmon estimates it. Defaults to
/// 64 MiB.
pub const AZMON_MAX_QUEUE_BYTES: &str = "AZMON_MAX_QUEUE_BYTES";

/// Interval between two exports of metrics, in milliseconds. Defaults to 60,000.
pub const OTEL_METRIC_EXPORT_INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";

/// A directory for telemetry that cannot be sent. Defaults to `azmon` in the user's cache directory.
pub const AZMON_STORAGE_DIRECTORY: &str = "AZMON_STORAGE_DIRECTORY";

/// `true` disables storage on disk: telemetry that cannot be sent waits only in memory.
pub const AZMON_STORAGE_DISABLED: &str = "AZMON_STORAGE_DISABLED";

/// `true` writes all telemetry to disk before it is sent.
pub const AZMON_DURABLE: &str = "AZMON_DURABLE";

/// `false` switches Live Metrics off.
pub const AZMON_LIVE_METRICS: &str = "AZMON_LIVE_METRICS";

/// A PEM file of certificates to trust in addition to those of the system.
pub const AZMON_CA_FILE: &str = "AZMON_CA_FILE";

/// `Authorization=AAD` authenticates telemetry by the system-assigned managed identity of the host, and `;ClientId=…`
/// by a user-assigned one.
pub const APPLICATIONINSIGHTS_AUTHENTICATION_STRING: &str =
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

/// `true` sets the namespace of every metric to the name of its meter.
pub const APPLICATIONINSIGHTS_METRIC_NAMESPACE_OPT_IN: &str =
    "APPLICATIONINSIGHTS_METRIC_NAMESPACE_OPT_IN";

/// `true` disables the standard metrics.
pub const APPLICATION_INSIGHTS_NO_STANDARD_METRICS: &str =
    "APPLICATION_INSIGHTS_NO_STANDARD_METRICS";

/// `false` disables the performance counters.
pub const AZMON_PERFORMANCE_COUNTERS: &str = "AZMON_PERFORMANCE_COUNTERS";

/// `true` disables the SDK statistics.
pub const APPLICATIONINSIGHTS_SDKSTATS_DISABLED: &str = "APPLICATIONINSIGHTS_SDKSTATS_DISABLED";

/// Interval between two exports of SDK statistics, in seconds. Defaults to 900.
pub const APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL: &str =
    "APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL";

/// The runtime of Azure Functions. SDK statistics report Azure Functions as the host if it is set.
pub const FUNCTIONS_WORKER_RUNTIME: &str = "FUNCTIONS_WORKER_RUNTIME";

/// The name of an Azure App Service. SDK statistics report App Service as the host if it is set.
pub const WEBSITE_SITE_NAME: &str = "WEBSITE_SITE_NAME";

/// The namespace of an Azure Kubernetes Service. SDK statistics report AKS as the host if it is set.
pub const AKS_ARM_NAMESPACE_ID: &str = "AKS_ARM_NAMESPACE_ID";

/// The API server of Kubernetes. SDK statistics report AKS as the host if it is set, as those of the official SDKs do.
pub const KUBERNETES_SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";

/// An OTLP collector that receives all telemetry as well, with the feature `otlp`: `http://host:4318`.
pub const OTEL_EXPORTER_OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The full URL for OTLP spans, if it differs.
pub const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// The full URL for OTLP log records, if it differs.
pub const OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT";
/// The full URL for OTLP metrics, if it differs.
pub const OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

/// The protocol of OTLP. azmon supports `http/protobuf` only, and warns of any other.
pub const OTEL_EXPORTER_OTLP_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// Timeout of an export to an OTLP collector, in milliseconds. Defaults to 10,000.
pub const OTEL_EXPORTER_OTLP_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

/// Reads the process's environment. An empty value and one that is not Unicode count as absent.
pub(crate) fn of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
