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
/// `parentbased_`.
pub const OTEL_TRACES_SAMPLER: &str = "OTEL_TRACES_SAMPLER";

/// The share of traces that `traceidratio` keeps, from 0 to 1. Defaults to 1.
pub const OTEL_TRACES_SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// `true` switches telemetry off, whatever the code says. Context is still propagated.
pub const OTEL_SDK_DISABLED: &str = "OTEL_SDK_DISABLED";

/// Longest time that a span waits for others to be sent with, in milliseconds. Defaults to 1000.
pub const OTEL_BSP_SCHEDULE_DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";

/// Most spans that wait to be sent. Defaults to 65,536.
pub const OTEL_BSP_MAX_QUEUE_SIZE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";

/// Most memory of the spans that wait to be sent, in bytes, as azmon estimates it. Defaults to 64 MiB.
pub const AZMON_MAX_QUEUE_BYTES: &str = "AZMON_MAX_QUEUE_BYTES";

/// The process's environment. A value that is not Unicode counts as absent, and so does an empty one.
pub(crate) fn of_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
