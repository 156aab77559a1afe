//! Fixtures of the end-to-end tests.

pub mod kql;
pub mod live;
pub mod logs;
pub mod program;
pub mod replay;
pub mod spans;

/// The program in the README, which is compiled unchanged.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

/// The guides, whose programs are compiled unchanged.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../docs/azure-sdk.md")]
    struct AzureSdk;
    #[doc = include_str!("../../docs/excluding.md")]
    struct Excluding;
    #[doc = include_str!("../../docs/live-metrics.md")]
    struct LiveMetrics;
    #[doc = include_str!("../../docs/logs-and-errors.md")]
    struct LogsAndErrors;
    #[doc = include_str!("../../docs/migrate-from-opencensus.md")]
    struct MigrateFromOpenCensus;
    #[doc = include_str!("../../docs/migrate-from-opentelemetry-application-insights.md")]
    struct MigrateFromOpenTelemetryApplicationInsights;
    #[doc = include_str!("../../docs/migrate-from-tracelayer.md")]
    struct MigrateFromTraceLayer;
    #[doc = include_str!("../../docs/sampling.md")]
    struct Sampling;
    #[doc = include_str!("../../docs/testing.md")]
    struct Testing;
    #[doc = include_str!("../../docs/troubleshooting.md")]
    struct Troubleshooting;
}
