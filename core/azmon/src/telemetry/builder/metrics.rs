//! The metric settings of the builder.

use std::time::Duration;

use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{Instrument, PeriodicReader, Stream};

use crate::telemetry::TelemetryBuilder;

impl TelemetryBuilder {
    /// Sets the interval at which metrics are collected and sent: those of instruments, standard metrics and
    /// performance counters.
    ///
    /// Defaults to `OTEL_METRIC_EXPORT_INTERVAL`, then to 60 s.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// use opentelemetry::global;
    ///
    /// let telemetry = azmon::Telemetry::builder()
    ///     .service_name("shop")
    ///     .metric_interval(Duration::from_secs(15))
    ///     .build()?;
    /// let orders = global::meter("shop").u64_counter("orders").build();
    /// orders.add(1, &[]);
    /// # Ok::<(), azmon::BuildError>(())
    /// ```
    #[must_use]
    pub fn metric_interval(mut self, interval: Duration) -> Self {
        self.choices.metrics.interval = Some(interval);
        self
    }

    /// Sets whether durations of requests and dependencies are aggregated before sampling, so that the charts of Azure
    /// Monitor are correct at any sampling rate.
    ///
    /// Defaults to `APPLICATION_INSIGHTS_NO_STANDARD_METRICS`, then to `true`. The metrics are `requests/duration` and
    /// `dependencies/duration`, in milliseconds. Their dimensions are result code, success, and whether a test or a
    /// robot caused the item; for dependencies also type and target. An interval has at most 50 result codes, 20 types
    /// and 100 targets; further values become `DIMENSION-CAPPED`. A span counts if it is recorded: a sampler must
    /// return "record only" instead of "drop" for spans that should count.
    #[must_use]
    pub fn standard_metrics(mut self, enabled: bool) -> Self {
        self.choices.metrics.standard_metrics = Some(enabled);
        self
    }

    /// Sets whether performance counters of the process and the machine are sent: processor time, memory, input and
    /// output, requests per second and their duration.
    ///
    /// Defaults to `AZMON_PERFORMANCE_COUNTERS`, then to `true`. Systems other than Linux have the counters of requests
    /// only.
    #[must_use]
    pub fn performance_counters(mut self, enabled: bool) -> Self {
        self.choices.metrics.performance_counters = Some(enabled);
        self
    }

    /// Sets whether the numbers of delivered, dropped and resent items are sent, as the metrics `Item_Success_Count`,
    /// `Item_Dropped_Count` and `Item_Retry_Count`.
    ///
    /// They are those of [SDK stats](https://learn.microsoft.com/azure/azure-monitor/app/sdk-stats), and are sent to
    /// your own resource only. Defaults to `APPLICATIONINSIGHTS_SDKSTATS_DISABLED`, then to `true`.
    #[must_use]
    pub fn sdk_statistics(mut self, enabled: bool) -> Self {
        self.choices.metrics.sdk_statistics = Some(enabled);
        self
    }

    /// Sets the interval of the SDK statistics. Defaults to `APPLICATIONINSIGHTS_SDKSTATS_EXPORT_INTERVAL`, then to
    /// 15 min.
    #[must_use]
    pub fn sdk_statistics_interval(mut self, interval: Duration) -> Self {
        self.choices.metrics.sdk_statistics_interval = Some(interval);
        self
    }

    /// Sets whether the numbers of [`statistics`](crate::Telemetry::statistics) are also metrics, of the meter `azmon`.
    /// They are collected with the metrics of other instruments. Defaults to `false`.
    ///
    /// | Metric | Instrument | Unit | Value |
    /// |---|---|---|---|
    /// | `azmon.items.sent` | counter | `{item}` | items that the service has, by `azmon.signal` |
    /// | `azmon.items.dropped` | counter | `{item}` | items that are lost or were dropped on purpose, by `azmon.signal`, and by `error.type`: the [reason](crate::DropReason) |
    /// | `azmon.items.stored` | gauge | `{item}` | items on disk, by `azmon.signal` |
    /// | `azmon.items.recovered` | counter | `{item}` | items of earlier processes that the service has |
    /// | `azmon.queue.items` | gauge | `{item}` | items that wait to be encoded |
    /// | `azmon.queue.memory` | gauge | `By` | the memory that they take |
    /// | `azmon.batches.items` | gauge | `{item}` | encoded items in memory |
    /// | `azmon.batches.memory` | gauge | `By` | the memory that they take |
    /// | `azmon.storage.batches` | gauge | `{batch}` | files of this process |
    /// | `azmon.storage.size` | gauge | `By` | the bytes in them |
    /// | `azmon.circuit.state` | gauge | `1` | 1 for the [state](crate::CircuitState) that `azmon.circuit.state` names: `closed`, `suspect`, `open` or `probing`; 0 for the others |
    /// | `azmon.last_success.age` | gauge | `s` | time since the service took a batch, if it ever did |
    ///
    /// `azmon.signal` is `traces`, `logs` or `metrics`. These metrics are themselves items of the signal `metrics`.
    #[must_use]
    pub fn statistics_metrics(mut self, enabled: bool) -> Self {
        self.meters.has_statistics = enabled;
        self
    }

    /// Adds a view: it can rename an instrument, drop it, or choose its aggregation.
    #[must_use]
    pub fn metric_view(
        mut self,
        view: impl Fn(&Instrument) -> Option<Stream> + Send + Sync + 'static,
    ) -> Self {
        self.meters.provider = self.meters.provider.with_view(view);
        self
    }

    /// Adds a reader that also receives the metrics of instruments, such as the reader of a second exporter.
    #[must_use]
    pub fn metric_reader<E: PushMetricExporter>(mut self, reader: PeriodicReader<E>) -> Self {
        self.meters.add(reader);
        self.others.has_exporters = true;
        self
    }
}
