//! Application Insights for Rust: sends OpenTelemetry traces, logs and metrics to Azure Monitor, or to a
//! portal on your own machine.
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use azmon::Telemetry;
//! use opentelemetry::global;
//! use opentelemetry::trace::Tracer;
//!
//! let telemetry = Telemetry::builder().service_name("shop").build()?; // APPLICATIONINSIGHTS_CONNECTION_STRING
//! global::tracer("shop").in_span("stocktaking", |_| ());
//! telemetry.shutdown(Duration::from_secs(5))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Spans come from any OpenTelemetry instrumentation. azmon's own instrumentation is in separate crates:
//! `azmon-tower`, `azmon-reqwest`, `azmon-sqlx` and `azmon-azure`. Without an Azure subscription, start `azmon portal`
//! and use the connection string that it prints.
//!
//! # How data flows
//!
//! ```text
//! your code, azmon-tower, …                         the thread `azmon-worker`
//!   │ spans, log records (OpenTelemetry API)          │
//!   ▼                                                 │
//! SDK ─► processor ─ kept? ─► bounded queue ──────────┴─► mapping ─► your processors ─► limits ─► JSON ─► gzip
//!           │                   │ full: dropped, counted     ▲                  console ◄─┘            │
//!           └► standard metrics ┼──────── every 60 s ────────┘                                         │
//!                               ▼                                    POST /v2.1/track ◄────────────────┘
//!                    Telemetry::dropped_items()                        ├ 200  done
//!                                                                      ├ 206  the rest again
//!                                                                      ├ 408 429 5xx, no answer: held, again later
//!                                                                      └ 400 402 404: dropped, counted
//! ```
//!
//! Ending a span or emitting a log record never blocks, and takes no lock that a sender holds. The worker thread
//! performs the remaining work in its own runtime, so azmon works in every flavour of the Tokio runtime, in other
//! runtimes, and in none. [`mapping`] documents how spans are mapped, and [`envelope`] the wire format. Standard
//! metrics count every span before sampling; see [`TelemetryBuilder::standard_metrics`].
//!
//! | Task | API |
//! |---|---|
//! | Set everything up | [`Telemetry`] |
//! | Send the spans and events of `tracing` and the records of `log` | `Telemetry::tracing_layer`, with the feature `tracing` |
//! | Send custom events, availability results, errors | [`event`], [`availability`], [`exception`] |
//! | Set the user and the session | [`instrument::Identity`] |
//! | Keep your own SDK set-up | [`SpanExporter`], [`LogExporter`], [`MetricExporter`] |
//! | Write instrumentation | [`instrument`] |
//! | Send less: sample | [`sampling`] |
//! | Change or drop items before they are sent | [`TelemetryBuilder::telemetry_processor`] |
//! | Test instrumented code | `testing`, with the feature of that name |
//!
//! # Logs, errors and panics
//!
//! Log records come from any bridge to [`Telemetry::logger_provider`], preferably from azmon's own layer. They have the
//! role of the service, as spans do, and belong to the current request:
//!
//! ```
//! # #[cfg(feature = "tracing")] {
//! use std::error::Error;
//! use tracing_subscriber::layer::SubscriberExt;
//!
//! # fn run(telemetry: &azmon::Telemetry, order: u32) -> Result<(), Box<dyn Error>> {
//! let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer());
//! tracing::subscriber::set_global_default(subscriber)?;
//!
//! tracing::warn!(order, "the stock is low");                              // traces
//! if let Err(error) = "x".parse::<u32>() {
//!     tracing::error!(error = &error as &dyn Error, order, "not ordered"); // exceptions, with their causes
//! }
//! tracing::info!(microsoft.custom_event.name = "checkout", order);        // customEvents
//! azmon::event("checkout").property("order", order).measurement("amount", 49.9).send();
//! # Ok(())
//! # }
//! # }
//! ```
//!
//! | To | Do |
//! |---|---|
//! | see errors as exceptions | log them with `error = &error as &dyn Error`; an `anyhow::Error` or an `eyre::Report` with `error.as_ref()`, or `?error` for its backtrace too |
//! | see panics | nothing: [they are exceptions](TelemetryBuilder::panic_hook) of their request |
//! | see their stack | set `RUST_BACKTRACE=1`; files and lines need `debug = "line-tables-only"` in a release build's profile |
//! | send custom events from a library that does not depend on azmon | log with `microsoft.custom_event.name` |
//! | send the records of `log` | `tracing_log::LogTracer::init()`, beside the layer |
//! | send `DEBUG` of one module | `Telemetry::tracing_layer_with` |
//! | add the version, or another attribute, to every record | a [`log_processor`](TelemetryBuilder::log_processor) |
//! | sample, and keep the numbers of logs right | [`UnsampledLogs`] |
//! | log without `tracing` | any bridge to [`Telemetry::logger_provider`]; [`LogExporter`] under your own |
//!
//! # Frequent questions
//!
//! ```no_run
//! use azmon::Telemetry;
//! use azmon::mapping::MappingOptions;
//! use opentelemetry::{KeyValue, global};
//!
//! let telemetry = Telemetry::builder()
//!     .service_name("shop") // the role's name, with its namespace and instance:
//!     .resource_attribute(KeyValue::new("service.namespace", "europe"))
//!     .resource_attribute(KeyValue::new("service.instance.id", "shop-1"))
//!     .sampling_ratio(0.1) // one trace of ten, counted as ten
//!     .keep_failures() // and every request that fails
//!     .mapping(MappingOptions::default().client_errors_are_failures(false)) // 404 is no failure
//!     .build()?; // in any runtime, or none
//!
//! global::meter("shop").u64_counter("orders").build().add(1, &[]); // customMetrics
//!
//! if telemetry.force_flush().is_err_and(|error| error.is_held()) {
//!     println!("an outage: held items are sent when it is over");
//! }
//! for lost in telemetry.dropped_items() {
//!     println!("{} lost: {}", lost.count, lost.reason);
//! }
//! # Ok::<(), azmon::BuildError>(())
//! ```
//!
//! | Question | Answer |
//! |---|---|
//! | "there is no reactor running" | azmon's own thread has a reactor and needs none of yours |
//! | every item is a dependency, none a request | requests are spans of kind server: `azmon_tower::ServerLayer` makes them |
//! | outages | telemetry waits in memory and on disk and is sent again, after `Retry-After` or a growing pause |
//! | size of uploads | JSON lines in gzip: 50 to 150 bytes for a span |
//! | links between traces | OpenTelemetry's links; Azure's portal follows them |
//! | temporality of metrics | delta, as Azure Monitor sums them |
//! | another backend in addition | the feature `otlp`, or your own [`span_processor`](TelemetryBuilder::span_processor) |
//!
//! # Features
//!
//! | Feature | Default | Adds |
//! |---|---|---|
//! | `rustls` | yes | `https://` endpoints. Without it azmon reaches `http://` endpoints only, such as a local portal |
//! | `bound-instruments` | yes | metrics of HTTP and of queries at a fraction of the cost, by instruments that OpenTelemetry calls experimental |
//! | `internal-logs` | yes | azmon's and OpenTelemetry's own warnings as `tracing` events |
//! | `otlp` | no | An additional OpenTelemetry collector for all telemetry; `OTEL_EXPORTER_OTLP_ENDPOINT` alone enables it |
//! | `tracing` | yes | `Telemetry::tracing_layer`, with `tracing-subscriber` and `tracing-opentelemetry` |
//! | `testing` | no | `testing::InMemoryDestination` and `testing::captured` |
//!
//! # Environment
//!
//! Code takes precedence over the environment, and the environment over the default. An empty variable counts as
//! absent.
//!
//! | Variable | Meaning | Default |
//! |---|---|---|
//! | `APPLICATIONINSIGHTS_CONNECTION_STRING` | the connection string | required, here or in code |
//! | `APPINSIGHTS_INSTRUMENTATIONKEY` | a bare key, for the public cloud | none |
//! | `OTEL_SERVICE_NAME` | the role's name | `unknown_service:` and the program's name |
//! | `OTEL_RESOURCE_ATTRIBUTES` | attributes of the resource, `key=value,key=value` | none |
//! | `OTEL_TRACES_SAMPLER` | `always_on`, `always_off`, `traceidratio`, each also after `parentbased_`; `microsoft.fixed_percentage`, `microsoft.rate_limited`: see [`sampling`] | `always_on` |
//! | `OTEL_TRACES_SAMPLER_ARG` | share to keep, 0 to 1; for `microsoft.rate_limited` traces per second | 1; 5 |
//! | `OTEL_SDK_DISABLED` | `true` disables telemetry | `false` |
//! | `OTEL_BSP_SCHEDULE_DELAY` | maximum time that a span or a log record waits for its batch, in milliseconds | 1000 |
//! | `OTEL_BSP_MAX_QUEUE_SIZE` | maximum number of waiting spans and log records | 65,536 |
//! | `AZMON_MAX_QUEUE_BYTES` | maximum size of waiting spans and log records, in bytes | 67,108,864 |
//! | `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, `OTEL_SPAN_EVENT_COUNT_LIMIT`, `OTEL_SPAN_LINK_COUNT_LIMIT` | maximum number of attributes, events and links of a span | 128 each |
//! | `OTEL_METRIC_EXPORT_INTERVAL` | interval between exports of metrics, in milliseconds | 60,000 |
//! | `APPLICATIONINSIGHTS_METRIC_NAMESPACE_OPT_IN` | `true` sets the namespace of metrics to the name of their meter | `false` |
//! | `APPLICATION_INSIGHTS_NO_STANDARD_METRICS` | `true` disables the standard metrics | `false` |
//! | `AZMON_PERFORMANCE_COUNTERS` | `false` disables the performance counters | `true` |
//! | `APPLICATIONINSIGHTS_SDKSTATS_DISABLED` | `true` disables the SDK statistics | `false` |
//! | `APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL` | interval between exports of SDK statistics, in seconds | 900 |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | an additional collector for all telemetry, with the feature `otlp` | none |
//! | `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, `…_LOGS_ENDPOINT`, `…_METRICS_ENDPOINT` | its full URL for a signal | the collector's URL with `/v1/traces`, `/v1/logs` or `/v1/metrics` |
//! | `OTEL_EXPORTER_OTLP_TIMEOUT` | timeout of an export to the collector, in milliseconds | 10,000 |
//! | `APPLICATIONINSIGHTS_AUTHENTICATION_STRING` | `Authorization=AAD`: tokens of the host's managed identity; `;ClientId=…` for a user-assigned one | none |
//! | `AZMON_STORAGE_DIRECTORY` | a directory for telemetry that cannot be sent | `azmon` in the user's cache directory |
//! | `AZMON_STORAGE_DISABLED` | `true` disables storage on disk: telemetry waits only in memory | `false` |
//! | `AZMON_LIVE_METRICS` | `false` switches Live Metrics off | `true` |
//! | `AZMON_DURABLE` | `true` writes all telemetry to disk before it is sent | `false` |
//! | `AZMON_CA_FILE` | a PEM file of certificates to trust in addition to those of the system | none |
//! | `AZMON_EXCLUDED_PATHS` | paths that leave no telemetry; read by the integrations | none |
//! | `AZMON_EXCLUDED_HOSTS` | hosts that leave no telemetry; read by the integrations | none |
//! | `AZMON_EXCLUDED_CLIENT_HOSTS` | called hosts that leave no telemetry; read by the integrations | none |
//!
//! # Limits
//!
//! - It does not phone home: SDK statistics go to your own resource. It contacts a metadata service only for the token
//!   of a managed identity, if one is configured.
//!
//! # Minimum supported Rust version
//!
//! 1.88. Raising it is a minor change.

pub mod config;
mod connection_string;
mod error;
mod exporter;
#[cfg(test)]
mod fixtures;
mod item;
mod json;
#[doc(hidden)]
pub mod live_metrics;
pub mod mapping;
mod metrics;
mod pipeline;
pub mod sampling;
mod shards;
mod storage;
mod telemetry;
mod telemetry_processor;
#[cfg(feature = "testing")]
pub mod testing;
mod token;
mod tracer;
#[cfg(feature = "tracing")]
mod tracing_layer;
mod track;
mod transmission;

/// The wire model: the items that azmon sends and that telemetry processors change.
pub use azmon_envelope as envelope;
/// The foundation of azmon's instrumentation.
pub use azmon_instrument as instrument;

pub use crate::connection_string::{
    ConnectionString, MAX_CONNECTION_STRING, ParseConnectionStringError,
};
pub use crate::error::{BuildError, DeliveryError, ShutdownReport};
pub use crate::exporter::{
    EnvelopeExporter, EnvelopeExporterBuilder, ExporterBuilder, LogExporter, LogExporterBuilder,
    MetricExporter, MetricExporterBuilder, QueueFullError, SpanExporter, SpanExporterBuilder,
};
pub use crate::item::{DropReason, DroppedItems, Signal, SignalReport, TelemetryType};
pub use crate::pipeline::UnsampledLogs;
pub use crate::storage::Storage;
pub use crate::telemetry::{Telemetry, TelemetryBuilder};
pub use crate::telemetry_processor::ItemDecision;
pub use crate::token::{Token, TokenError, TokenFuture, TokenProvider};
#[cfg(feature = "tracing")]
pub use crate::tracing_layer::{SpanFields, tracing_targets};
pub use crate::track::{Availability, Event, Exception, availability, event, exception};
pub use crate::transmission::{CircuitState, TelemetryStatistics};
