//! The environment variables that azmon reads.

/// The connection string. Copy it from the Azure portal, or from the output of `azmon portal`.
pub const APPLICATIONINSIGHTS_CONNECTION_STRING: &str = "APPLICATIONINSIGHTS_CONNECTION_STRING";

/// A bare instrumentation key, for the public cloud; used when there is no connection string.
pub const APPINSIGHTS_INSTRUMENTATIONKEY: &str = "APPINSIGHTS_INSTRUMENTATIONKEY";

/// Name of the service: the role in Azure Monitor.
pub const OTEL_SERVICE_NAME: &str = "OTEL_SERVICE_NAME";

/// Attributes of the resource: `key=value,key=value`, percent-encoded.
pub const OTEL_RESOURCE_ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// The sampler: `always_on` (default), `always_off`, `traceidratio`, or one of these after
/// `parentbased_`; or `microsoft.fixed_percentage` or `microsoft.rate_limited`.
///
/// What they do is said in [`sampling`](crate::sampling).
pub const OTEL_TRACES_SAMPLER: &str = "OTEL_TRACES_SAMPLER";

/// The share of traces that `traceidratio` or `microsoft.fixed_percentage` keeps, from 0 to 1, by default 1;
/// how many traces a second `microsoft.rate_limited` keeps, by default 5.
pub const OTEL_TRACES_SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// Most attributes of a span. Defaults to 128.
pub const OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: &str = "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT";

/// Most events of a span. Defaults to 128.
pub const OTEL_SPAN_EVENT_COUNT_LIMIT: &str = "OTEL_SPAN_EVENT_COUNT_LIMIT";

/// Most links of a span. Defaults to 128.
pub const OTEL_SPAN_LINK_COUNT_LIMIT: &str = "OTEL_SPAN_LINK_COUNT_LIMIT";

/// `true` switches telemetry off, whatever the code says. Context is still propagated.
pub const OTEL_SDK_DISABLED: &str = "OTEL_SDK_DISABLED";

/// Longest time that a span or a log record waits for others to be sent with, in milliseconds. Defaults to 1000.
pub const OTEL_BSP_SCHEDULE_DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";

/// Most spans and log records that wait to be sent. Defaults to 65,536.
pub const OTEL_BSP_MAX_QUEUE_SIZE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";

/// Most memory of the spans and log records that wait to be sent, in bytes, as azmon estimates it. Defaults to 64 MiB.
pub const AZMON_MAX_QUEUE_BYTES: &str = "AZMON_MAX_QUEUE_BYTES";

/// How often metrics are sent, in milliseconds. Defaults to 60,000.
pub const OTEL_METRIC_EXPORT_INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";

/// A directory for telemetry that cannot be sent. Defaults to `azmon` in the user's cache directory.
pub const AZMON_STORAGE_DIRECTORY: &str = "AZMON_STORAGE_DIRECTORY";

/// `true` keeps what cannot be sent in memory alone.
pub const AZMON_STORAGE_DISABLED: &str = "AZMON_STORAGE_DISABLED";

/// `true` writes all telemetry to disk before it is sent.
pub const AZMON_DURABLE: &str = "AZMON_DURABLE";

/// `false` switches Live Metrics off.
pub const AZMON_LIVE_METRICS: &str = "AZMON_LIVE_METRICS";

/// A file of certificates, in PEM, that are trusted besides those of the system.
pub const AZMON_CA_FILE: &str = "AZMON_CA_FILE";

/// `Authorization=AAD` authenticates telemetry by the managed identity of the host, `;ClientId=…` by one that
/// the user assigned.
pub const APPLICATIONINSIGHTS_AUTHENTICATION_STRING: &str =
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

/// `true` gives every metric its meter's name as namespace.
pub const APPLICATIONINSIGHTS_METRIC_NAMESPACE_OPT_IN: &str =
    "APPLICATIONINSIGHTS_METRIC_NAMESPACE_OPT_IN";

/// `true` switches the standard metrics off.
pub const APPLICATION_INSIGHTS_NO_STANDARD_METRICS: &str =
    "APPLICATION_INSIGHTS_NO_STANDARD_METRICS";

/// `false` switches the performance counters off.
pub const AZMON_PERFORMANCE_COUNTERS: &str = "AZMON_PERFORMANCE_COUNTERS";

/// `true` switches the SDK statistics off.
pub const APPLICATIONINSIGHTS_SDKSTATS_DISABLED: &str = "APPLICATIONINSIGHTS_SDKSTATS_DISABLED";

/// How often SDK statistics are sent, in seconds. Defaults to 900.
pub const APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL: &str =
    "APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL";

/// The runtime of Azure Functions: SDK statistics tell that the program runs there.
pub const FUNCTIONS_WORKER_RUNTIME: &str = "FUNCTIONS_WORKER_RUNTIME";

/// The name of an Azure App Service: SDK statistics tell that the program runs there.
pub const WEBSITE_SITE_NAME: &str = "WEBSITE_SITE_NAME";

/// The namespace of an Azure Kubernetes Service: SDK statistics tell that the program runs there.
pub const AKS_ARM_NAMESPACE_ID: &str = "AKS_ARM_NAMESPACE_ID";

/// The host of Kubernetes, which the official SDKs take for an Azure Kubernetes Service, too.
pub const KUBERNETES_SERVICE_HOST: &str = "KUBERNETES_SERVICE_HOST";

/// An OTLP collector that gets everything, too, with the feature `otlp`: `http://host:4318`.
pub const OTEL_EXPORTER_OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

/// The whole address for OTLP spans, if it is another.
pub const OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// The whole address for OTLP log records, if it is another.
pub const OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT";
/// The whole address for OTLP metrics, if it is another.
pub const OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";

/// The protocol of OTLP. There is only `http/protobuf`; another one is warned of.
pub const OTEL_EXPORTER_OTLP_PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";
/// How long an OTLP collector may take to answer, in milliseconds. Defaults to 10,000.
pub const OTEL_EXPORTER_OTLP_TIMEOUT: &str = "OTEL_EXPORTER_OTLP_TIMEOUT";

/// The process's environment. A value that is not Unicode counts as absent, and so does an empty one.
pub(crate) fn of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
