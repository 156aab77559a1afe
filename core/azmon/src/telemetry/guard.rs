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

/// How long [`Telemetry::force_flush`] waits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long instruments may take to be collected; those of azmon itself take no time.
const COLLECT_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How long dropping the guard waits.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

/// A guard that lives shorter than this was surely not kept.
const SHORTEST_LIFE: Duration = Duration::from_millis(5);

/// Telemetry that is being sent. Keep it until the program ends.
///
/// Dropping it sends what waits, for at most 2 s, on the dropping thread. To give it another time, or to
/// hear whether all was sent, call [`shutdown`](Self::shutdown) before.
#[must_use = "telemetry ends when this guard is dropped: keep it until the program ends"]
#[derive(Debug)]
pub struct Telemetry {
    pub(super) provider: SdkTracerProvider,
    pub(super) meters: SdkMeterProvider,
    pub(super) logger_provider: SdkLoggerProvider,
    /// For custom events and their like.
    pub(super) logger: SdkLogger,
    /// `None` when telemetry is disabled, or goes to other destinations only.
    pub(super) handle: Option<WorkerHandle>,
    /// `None` as the handle.
    pub(super) intake: Option<Arc<Intake>>,
    /// What records spans without the SDK; `None` where the SDK must.
    pub(super) direct_provider: Option<Arc<DirectProvider>>,
    /// Whether other exporters get telemetry, too.
    pub(super) has_others: bool,
    /// `None` as the handle.
    pub(super) last_collection: Option<Arc<LastCollection>>,
    /// `None` when panics are not reported.
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
    /// Its own flush only collects: [`force_flush`](Self::force_flush) also waits for the delivery.
    #[must_use]
    pub fn meter_provider(&self) -> &SdkMeterProvider {
        &self.meters
    }

    /// The OpenTelemetry logger provider, for bridges from logging libraries; OpenTelemetry has no global
    /// one.
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

    /// Whether telemetry is sent; not so if it is [disabled](crate::TelemetryBuilder::disabled_without_connection_string).
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.handle.is_some() || self.has_others
    }

    /// Collects the metrics, sends everything that has ended, and waits until the service has it, or it is on
    /// disk, for at most 5 s.
    ///
    /// It blocks the thread, and works in any runtime or none: the sending happens elsewhere. While the
    /// endpoint is being given a pause after a failure, it is tried once, unless the service asked for the
    /// pause. Instruments whose callbacks block are waited for 2.5 s before, and other destinations 5 s
    /// afterwards. What [waits for the end of a request](crate::sampling#failures-and-slow-requests) still
    /// waits.
    ///
    /// # Errors
    ///
    /// When something was not delivered and is not on disk: it is held in memory to be sent again, was refused,
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

    /// Collects the metrics, takes no more telemetry, sends what can be sent, stores the rest on disk, and ends
    /// the worker, all within `timeout`.
    ///
    /// It blocks the thread, and works in any runtime or none, and returns within `timeout` whatever the
    /// network, the disk, processors and other destinations do. Azure Monitor and other destinations are served
    /// side by side. Spans that end and log records that are emitted during it are dropped and counted; the SDK
    /// forgets those that come later.
    ///
    /// The report says what became of all telemetry since the start. What is on disk is sent by the next process
    /// of the same program.
    ///
    /// # Errors
    ///
    /// When something was dropped during it, when it took too long, or telemetry was shut down before. The error
    /// has the [report](DeliveryError::report), too.
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
        let others = self.has_others.then(|| {
            // One signal's collector must not take the time of the other's.
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
                // Nobody waits for these: there is nothing in them but azmon's own processors.
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

    /// How delivery is doing: what became of all items, what waits in memory and on disk, whether the endpoint
    /// takes telemetry, and what went wrong last.
    #[must_use]
    pub fn statistics(&self) -> TelemetryStatistics {
        self.handle
            .as_ref()
            .map(WorkerHandle::statistics)
            .unwrap_or_default()
    }

    /// What other destinations say, if there are any.
    fn others(&self, result: impl FnOnce() -> OTelSdkResult) -> OTelSdkResult {
        if self.has_others { result() } else { Ok(()) }
    }

    /// What was dropped since the start, by reason and type; empty if nothing was.
    ///
    /// The same numbers are logged, once a minute at most, as the event `Export.ItemsDropped`.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.handle
            .iter()
            .flat_map(|handle| handle.counters().dropped())
            .collect()
    }

    /// How many traces were sampled by the rate alone before their request had ended, since its spans could
    /// not wait any longer; see [`DecisionLimits`](crate::sampling::DecisionLimits).
    #[must_use]
    pub fn traces_decided_early(&self) -> u64 {
        self.intake
            .as_ref()
            .map_or(0, |intake| intake.decided_early())
    }

    /// How many items were sent without a part of them, since they were larger than the service takes.
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
        // It may have been shut down before, and there is nobody to tell what was not delivered but the
        // log, where the worker writes it.
        let _ = self.shutdown(DROP_TIMEOUT);
    }
}

fn elsewhere(error: OTelSdkError) -> Undelivered {
    Undelivered::Elsewhere(error.to_string())
}
