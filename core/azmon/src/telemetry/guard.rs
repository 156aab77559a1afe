use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::error::DeliveryError;
use crate::error::Undelivered;
use crate::item::DroppedItems;
use crate::pipeline::Intake;
use crate::recorder::Recorder;
use crate::telemetry::TelemetryBuilder;
use crate::telemetry::bounded::bounded;
use crate::telemetry::panic_hook::Reporter;
use crate::transmission::Transmitter;

/// How long [`Telemetry::force_flush`] waits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
/// How long instruments may take to be collected; those of azmon itself take no time.
const COLLECT_TIMEOUT: Duration = Duration::from_millis(2_500);
/// How long dropping the guard waits.
const DROP_TIMEOUT: Duration = Duration::from_secs(2);

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
    /// `None` when telemetry is disabled, or goes to other destinations only.
    pub(super) transmitter: Option<Transmitter>,
    /// `None` as the transmitter.
    pub(super) intake: Option<Arc<Intake>>,
    /// What records spans without the SDK; `None` where the SDK must.
    pub(super) recorder: Option<Arc<Recorder>>,
    /// Whether somebody else gets telemetry, too.
    pub(super) has_others: bool,
    /// `None` when panics are not reported.
    pub(super) panics: Option<Arc<Reporter>>,
}

impl Telemetry {
    /// Starts to configure telemetry.
    #[must_use]
    pub fn builder() -> TelemetryBuilder {
        TelemetryBuilder::default()
    }

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

    #[cfg(test)]
    pub(crate) fn recorder(&self) -> Option<Arc<Recorder>> {
        self.recorder.clone()
    }

    /// Whether telemetry is sent; not so if it is [disabled](TelemetryBuilder::disabled_without_connection_string).
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.transmitter.is_some() || self.has_others
    }

    /// Collects the metrics, sends everything that has ended, and waits for the service to answer, for at
    /// most 5 s.
    ///
    /// It blocks the thread, and works in any runtime or none: the sending happens elsewhere. While the
    /// endpoint is being given a pause after a failure, it is tried once. Instruments whose callbacks
    /// block are waited for 2.5 s before, and other destinations 5 s afterwards. What
    /// [waits for the end of a request](crate::sampling#failures-and-slow-requests) still waits.
    ///
    /// # Errors
    ///
    /// When something was not delivered: it is held to be sent again, was refused, or took too long.
    pub fn force_flush(&self) -> Result<(), DeliveryError> {
        if !self.is_enabled() {
            return Ok(());
        }
        let meters = self.meters.clone();
        let metrics = bounded(COLLECT_TIMEOUT, move || meters.force_flush());
        if let Some(intake) = &self.intake {
            intake.flush();
        }
        let delivery = match &self.transmitter {
            Some(transmitter) => transmitter.flush(FLUSH_TIMEOUT),
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

    /// Collects the metrics, takes no more telemetry, sends what waits until `timeout` is over, and ends
    /// the worker.
    ///
    /// It blocks the thread, and works in any runtime or none. Spans that end and log records that are
    /// emitted during it are dropped and counted; the SDK forgets those that come later. Other
    /// destinations share the time.
    ///
    /// # Errors
    ///
    /// When something was not delivered and is lost, or telemetry was shut down before.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), DeliveryError> {
        if !self.is_enabled() {
            return Ok(());
        }
        let start = Instant::now();
        let left = || timeout.saturating_sub(start.elapsed());
        let meters = self.meters.clone();
        let metrics = bounded(COLLECT_TIMEOUT.min(timeout / 2), move || {
            meters.shutdown_with_timeout(timeout)
        });
        if let Some(intake) = &self.intake {
            intake.close();
        }
        let delivery = match &self.transmitter {
            Some(transmitter) => transmitter.shutdown(left()),
            None => Ok(()),
        };
        if let Some(panics) = &self.panics {
            panics.remove();
        }
        let (spans, logs, rest) = (self.provider.clone(), self.logger_provider.clone(), left());
        let others = bounded(rest, move || {
            let logs = logs.shutdown_with_timeout(rest);
            spans.shutdown_with_timeout(rest).and(logs)
        });
        delivery?;
        Ok(self.others(|| metrics.and(others)).map_err(elsewhere)?)
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
        self.transmitter
            .iter()
            .flat_map(|transmitter| transmitter.losses().dropped())
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
        self.transmitter
            .as_ref()
            .map_or(0, |transmitter| transmitter.losses().trimmed())
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        // It may have been shut down before, and there is nobody to tell what was not delivered but the
        // log, where the worker writes it.
        let _ = self.shutdown(DROP_TIMEOUT);
    }
}

fn elsewhere(error: OTelSdkError) -> Undelivered {
    Undelivered::Elsewhere(error.to_string())
}
