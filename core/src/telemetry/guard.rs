use std::time::Duration;

use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::error::DeliveryError;
use crate::telemetry::TelemetryBuilder;
use crate::transmission::{DroppedItems, Transmitter};

/// How long [`Telemetry::force_flush`] waits.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
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
    /// `None` when telemetry is disabled.
    pub(super) transmitter: Option<Transmitter>,
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

    /// Whether telemetry is sent; not so if it is [disabled](TelemetryBuilder::disabled_without_connection_string).
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.transmitter.is_some()
    }

    /// Sends everything that has ended, and waits for the service to answer, for at most 5 s.
    ///
    /// It blocks the thread, and works in any runtime or none: the sending happens elsewhere. While the
    /// endpoint is being given a pause after a failure, it is tried once.
    ///
    /// # Errors
    ///
    /// When something was not delivered: it is held to be sent again, was refused, or took too long.
    pub fn force_flush(&self) -> Result<(), DeliveryError> {
        self.transmitter
            .as_ref()
            .map_or(Ok(()), |transmitter| Ok(transmitter.flush(FLUSH_TIMEOUT)?))
    }

    /// Takes no more telemetry, sends what waits until `timeout` is over, and ends the worker.
    ///
    /// It blocks the thread, and works in any runtime or none. Spans that end during it are dropped and
    /// counted; the SDK forgets those that end later.
    ///
    /// # Errors
    ///
    /// When something was not delivered and is lost, or telemetry was shut down before.
    pub fn shutdown(&self, timeout: Duration) -> Result<(), DeliveryError> {
        let Some(transmitter) = &self.transmitter else {
            return Ok(());
        };
        let delivery = transmitter.shutdown(timeout);
        // Our own processor has just been shut down; what it says again is known.
        let _ = self.provider.shutdown_with_timeout(timeout);
        Ok(delivery?)
    }

    /// What was dropped since the start, by reason; empty if nothing was.
    ///
    /// The same numbers are logged, once a minute at most, as the event `Export.ItemsDropped`.
    #[must_use]
    pub fn dropped_items(&self) -> Vec<DroppedItems> {
        self.transmitter
            .iter()
            .flat_map(|transmitter| transmitter.losses().dropped())
            .collect()
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
