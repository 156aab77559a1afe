use std::time::Duration;

use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::SdkLogRecord;

use crate::pipeline::{Producer, UnsampledLogs};
use crate::transmission::{DropReason, TelemetryType, Transmitter};

/// Gives the worker the log records that are emitted, with what their context says.
#[derive(Debug)]
pub(crate) struct LogProcessor {
    producer: Producer,
    transmitter: Transmitter,
    unsampled: UnsampledLogs,
}

impl LogProcessor {
    pub(crate) fn new(
        producer: Producer,
        transmitter: Transmitter,
        unsampled: UnsampledLogs,
    ) -> Self {
        Self {
            producer,
            transmitter,
            unsampled,
        }
    }

    /// Queues the record, or says why not.
    fn queue(&self, record: &SdkLogRecord, scope: &InstrumentationScope) -> Result<(), DropReason> {
        let log = self.unsampled.admit(record, scope);
        let log = log.ok_or(DropReason::Unsampled)?;
        if self.transmitter.is_closed() {
            return Err(DropReason::Shutdown);
        }
        let log = Context::map_current(|context| log.in_context(context));
        let has_room = self.producer.push(log);
        has_room.then_some(()).ok_or(DropReason::QueueFull)
    }
}

impl opentelemetry_sdk::logs::LogProcessor for LogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if let Err(reason) = self.queue(record, scope) {
            let losses = self.transmitter.losses();
            losses.count(reason, TelemetryType::Trace, 1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.transmitter.flush(FLUSH_TIMEOUT).map_err(Into::into)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.transmitter.shutdown(timeout).map_err(Into::into)
    }
}

/// How long the SDK's own batch processor waits for a flush.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
