//! The guard of telemetry.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::otel_warn;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::error::{DeliveryError, ShutdownReport, Undelivered};
use crate::item::DroppedItems;
use crate::pipeline::{Intake, LastCollection};
use crate::telemetry::bounded::{bounded, spawn};
use crate::telemetry::panic_hook::Reporter;
use crate::tracer::DirectProvider;
#[cfg(feature = "tracing")]
use crate::tracing_layer::SpanFields;
use crate::transmission::{TelemetryStatistics, WorkerHandle};

/// Timeout of [`Telemetry::force_flush`].
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of the collection of instruments; azmon's own take no time.
const COLLECT_TIMEOUT: Duration = Duration::from_millis(2_500);
/// Timeout of dropping the guard.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// A guard with a shorter life was certainly not kept.
const SHORTEST_LIFE: Duration = Duration::from_millis(5);

/// The guard of running telemetry. Keep it until the program ends.
///
/// Dropping it sends the waiting items, for at most 2 s, on the dropping thread. Call [`shutdown`](Self::shutdown)
/// before the drop to set another timeout, or to learn whether all items were sent.
#[must_use = "telemetry ends when this guard is dropped: keep it until the program ends"]
#[derive(Debug)]
pub struct Telemetry {
    pub(super) provider: SdkTracerProvider,
    pub(super) meters: SdkMeterProvider,
    pub(super) logger_provider: SdkLoggerProvider,
    /// The logger of custom events, availability results and exceptions.
    pub(super) logger: SdkLogger,
    /// `None` if telemetry is disabled or has other destinations only.
    pub(super) handle: Option<WorkerHandle>,
    /// `None` together with `handle`.
    pub(super) intake: Option<Arc<Intake>>,
    /// Records spans without the SDK; `None` if the SDK must record them.
    pub(super) direct_provider: Option<Arc<DirectProvider>>,
    /// Whether other exporters receive telemetry as well.
    pub(super) has_other_exporters: bool,
    /// `None` together with `handle`.
    pub(super) last_collection: Option<Arc<LastCollection>>,
    /// `None` if panics are not reported.
    pub(super) panics: Option<Arc<Reporter>>,
    pub(super) built: Instant,
    #[cfg(feature = "tracing")]
    pub(super) span_fields: SpanFields,
}

impl Telemetry {
    /// The OpenTelemetry tracer provider, for code that does not use the global one.
    #[must_use]
    pub fn tracer_provider(&self) -> &SdkTracerProvider {
        &self.provider
    }

    /// The OpenTelemetry meter provider, for code that does not use the global one.
    ///
    /// Its own flush only collects; [`force_flush`](Self::force_flush) also waits for the delivery.
    #[must_use]
    pub fn meter_provider(&self) -> &SdkMeterProvider {
        &self.meters
    }

    /// The OpenTelemetry logger provider, for bridges from logging libraries; OpenTelemetry has no global one.
    #[must_use]
    pub fn logger_provider(&self) -> &SdkLoggerProvider {
        &self.logger_provider
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn span_fields(&self) -> &SpanFields {
        &self.span_fields
    }

    pub(crate) fn logger(&self) -> &SdkLogger {
        &self.logger
    }

    #[cfg(test)]
    pub(crate) fn direct_provider(&self) -> Option<Arc<DirectProvider>> {
        self.direct_provider.clone()
    }

    /// Whether telemetry is sent; false if it is
    /// [disabled](crate::TelemetryBuilder::disabled_without_connection_string).
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.handle.is_some() || self.has_other_exporters
    }

    /// Collects the metrics, sends all items that have ended, and waits at most 5 s until the service has accepted them
    /// or they are on disk.
    ///
    /// It blocks the thread, and works with or without an async runtime, because another thread sends. If the endpoint
    /// is paused after a failure, it is tried once, unless the service asked for the pause. The flush first waits
    /// at most 2.5 s for instruments whose callbacks block, and afterwards at most 5 s for other destinations. Items
    /// that [wait for the end of a request](crate::sampling#failures-and-slow-requests) continue to wait.
    ///
    /// # Errors
    ///
    /// Fails if an item was neither delivered nor stored on disk: it is held in memory to be sent again, was refused,
    /// or took too long.
    pub fn force_flush(&self) -> Result<(), DeliveryError> {
        if !self.is_enabled() {
            return Ok(());
        }
        let meters = self.meters.clone();
        let metrics = bounded(COLLECT_TIMEOUT, move || meters.force_flush());
        if let Some(intake) = &self.intake {
            intake.flush();
        }
        let delivery = match &self.handle {
            Some(handle) => handle.flush(FLUSH_TIMEOUT),
            None => Ok(()),
        };
        let others = self.others(|| {
            let (spans, logs) = (self.provider.clone(), self.logger_provider.clone());
            bounded(FLUSH_TIMEOUT, move || {
                let logs = logs.force_flush();
                spans.force_flush().and(logs)
            })
        });
        delivery?;
        Ok(metrics.and(others).map_err(elsewhere)?)
    }

    /// Collects the metrics, refuses further telemetry, sends as many items as it can, stores the others on disk, and
    /// ends the worker, all within `timeout`.
    ///
    /// It blocks the thread, works with or without an async runtime, and returns within `timeout` even if the network,
    /// the disk, a processor or another destination hangs. Azure Monitor and other destinations are shut down
    /// concurrently. Spans that end and log records that are emitted during the shutdown are dropped and counted; the
    /// SDK discards later ones.
    ///
    /// The report contains the outcome of all telemetry since the start. The next process of the same program sends the
    /// items on disk.
    ///
    /// # Errors
    ///
    /// Fails if items were dropped during the shutdown, if it took too long, or if telemetry was shut down before. The
    /// error has the [report](DeliveryError::report) as well.
    pub fn shutdown(&self, timeout: Duration) -> Result<ShutdownReport, DeliveryError> {
        if !self.is_enabled() {
            return Ok(ShutdownReport::default());
        }
        let start = Instant::now();
        let left = || timeout.saturating_sub(start.elapsed());
        let meters = self.meters.clone();
        let metrics = spawn(move || meters.shutdown_with_timeout(timeout));
        if let Some(intake) = &self.intake {
            intake.close();
        }
        if let Some(end) = &self.last_collection {
            end.wait(COLLECT_TIMEOUT.min(timeout / 2));
        }
        let (spans, logs) = (self.provider.clone(), self.logger_provider.clone());
        let others = self.has_other_exporters.then(|| {
            // The collector of one signal must not use up the time of another's.
            let logs = spawn(move || logs.shutdown_with_timeout(timeout));
            (logs, spawn(move || spans.shutdown_with_timeout(timeout)))
        });
        let delivery = match &self.handle {
            Some(handle) => handle.shutdown(left()),
            None => Ok(()),
        };
        if let Some(panics) = &self.panics {
            panics.remove();
        }
        let others = match others {
            Some((logs, spans)) => {
                let (metrics, logs) = (metrics.wait(left()), logs.wait(left()));
                let spans = spans.wait(left());
                metrics.and(logs).and(spans)
            }
            None => {
                // These need no wait: they contain only azmon's own processors.
                let _ = self.logger_provider.shutdown_with_timeout(Duration::ZERO);
                let _ = self.provider.shutdown_with_timeout(Duration::ZERO);
                Ok(())
            }
        };
        let report = self.report();
        let others = others.map_err(elsewhere);
        let result = delivery.and(others);
        result.map_err(|undelivered| DeliveryError::with_report(undelivered, report))?;
        Ok(report)
    }

    fn report(&self) -> ShutdownReport {
        let statistics = self.statistics();
        ShutdownReport {
            traces: statistics.traces,
            logs: statistics.logs,
            metrics: statistics.metrics,
        }
    }

    /// The state of delivery: the outcome of all items, the waiting items in memory and on disk, the state of the
    /// endpoint, and the last error.
    #[must_use]
    pub fn statistics(&self) -> TelemetryStatistics {
        self.handle
            .as_ref()
            .map(WorkerHandle::statistics)
            .unwrap_or_default()
    }

    /// The result of other destinations, if any exist.
    fn others(&self, result: impl FnOnce() -> OTelSdkResult) -> OTelSdkResult {
        if self.has_other_exporters {
            result()
        } else {
            Ok(())
        }
    }

    /// The items dropped since the start, by reason and type; empty if none were dropped.
    ///
    /// The same numbers are logged, once a minute at most, as the event `Export.ItemsDropped`.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.handle
            .iter()
            .flat_map(|handle| handle.counters().dropped())
            .collect()
    }

    /// The number of traces that the rate alone decided before their request had ended, because their items could not
    /// wait any longer; see [`DecisionLimits`](crate::sampling::DecisionLimits).
    #[must_use]
    pub fn traces_decided_early(&self) -> u64 {
        self.intake
            .as_ref()
            .map_or(0, |intake| intake.decided_early())
    }

    /// The number of items that were sent in a shortened form, because they exceeded the service's maximum size.
    #[must_use]
    pub fn trimmed_items(&self) -> u64 {
        self.handle
            .as_ref()
            .map_or(0, |handle| handle.counters().trimmed())
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        let is_open = self
            .handle
            .as_ref()
            .is_some_and(|handle| !handle.is_shut_down());
        if is_open && self.built.elapsed() < SHORTEST_LIFE {
            otel_warn!(
                name: "Telemetry.DroppedAtOnce",
                hint = "nothing is sent any more: keep the guard, in a variable that is not called `_`"
            );
        }
        // It may have been shut down before. A destructor returns no error, so only the worker's log reports
        // undelivered items.
        let _ = self.shutdown(DROP_TIMEOUT);
    }
}

fn elsewhere(error: OTelSdkError) -> Undelivered {
    Undelivered::Elsewhere(error.to_string())
}
