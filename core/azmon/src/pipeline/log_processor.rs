use std::sync::Arc;
use std::time::Duration;

use azmon_instrument::exclude::is_excluded;
use opentelemetry::trace::{SpanContext, TraceState};
use opentelemetry::{Context, InstrumentationScope};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::SdkLogRecord;

use crate::error::Undelivered;
use crate::item::{DropReason, LogData, Signal, TelemetryType};
use crate::pipeline::unsampled_logs::LogDecision;
use crate::pipeline::{Intake, UnsampledLogs};

/// Passes emitted log records to the intake, with the operation and the identity of their context.
#[derive(Debug)]
pub(crate) struct LogProcessor {
    intake: Arc<Intake>,
    unsampled: UnsampledLogs,
}

impl LogProcessor {
    pub(crate) fn new(intake: Arc<Intake>, unsampled: UnsampledLogs) -> Self {
        Self { intake, unsampled }
    }

    fn copy(
        &self,
        record: &SdkLogRecord,
        scope: &InstrumentationScope,
        log_decision: LogDecision,
    ) -> LogData {
        let log = LogData::new(record, scope);
        let log = match log_decision {
            LogDecision::Kept => log.unsampled(),
            LogDecision::FollowsSpan | LogDecision::Dropped => log.at_rate(self.rate(record)),
        };
        Context::map_current(|context| log.in_context(context))
    }

    /// The sampling rate of the record's span.
    fn rate(&self, record: &SdkLogRecord) -> Option<f64> {
        let span = record.trace_context()?;
        let flags = span.trace_flags.filter(|flags| flags.is_sampled())?;
        let state = TraceState::default();
        let span = SpanContext::new(span.trace_id, span.span_id, flags, false, state);
        self.intake.sample_rate(&span)
    }
}

impl LogProcessor {
    /// Applies the first sampling override that matches the record; false if none matches.
    fn obey_override(&self, record: &SdkLogRecord, scope: &InstrumentationScope) -> bool {
        let Some(sampler) = self.intake.log_overrides() else {
            return false;
        };
        let log = LogData::new(record, scope);
        let decision = sampler.decide_log(log.telemetry_type(), log.trace_id(), log.attributes());
        match decision {
            Some(Some(percent)) => {
                let log = log.at_rate(Some(percent));
                self.intake
                    .send(Context::map_current(|context| log.in_context(context)));
            }
            Some(None) => self.leave_out(record, scope),
            None => {}
        }
        decision.is_some()
    }

    /// Counts a record that is not sent, and shows it to live metrics.
    fn leave_out(&self, record: &SdkLogRecord, scope: &InstrumentationScope) {
        let telemetry_type = TelemetryType::of_log(|name| {
            let mut attributes = record.attributes_iter();
            attributes.any(|(key, _)| key.as_str() == name)
        });
        let counters = self.intake.handle().counters();
        counters.count(DropReason::Unsampled, telemetry_type, 1);
        if self.intake.is_watched() {
            // Without room, live metrics do not show the record.
            let _ = self
                .intake
                .show(self.copy(record, scope, LogDecision::Dropped));
        }
    }
}

impl opentelemetry_sdk::logs::LogProcessor for LogProcessor {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        if self.obey_override(record, scope) {
            return;
        }
        let mut log_decision = self.unsampled.decide(record);
        // An excluded request is unsampled, but its log records are kept.
        if log_decision == LogDecision::Dropped && Context::map_current(is_excluded) {
            log_decision = LogDecision::Kept;
        }
        if log_decision == LogDecision::Dropped && !self.intake.keeps_whole_traces() {
            return self.leave_out(record, scope);
        }
        let log = self.copy(record, scope, log_decision);
        match record.trace_context() {
            Some(span) => {
                self.intake
                    .offer(span.trace_id, log, log_decision != LogDecision::Dropped)
            }
            None => self.intake.send(log),
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        let handle = self.intake.handle();
        handle.flush(FLUSH_TIMEOUT).map_err(Into::into)
    }

    /// Shuts down log records alone; spans and metrics continue. Succeeds if they were shut down before, as by
    /// [`Telemetry`](crate::Telemetry).
    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        match self.intake.handle().close(Signal::Logs, timeout) {
            Err(Undelivered::AlreadyShutDown) => Ok(()),
            delivery => delivery.map_err(Into::into),
        }
    }
}

/// Timeout of a flush in the SDK's own batch processor.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);
