use opentelemetry::InstrumentationScope;
use opentelemetry::logs::Severity;
use opentelemetry_sdk::logs::SdkLogRecord;

use crate::item::LogData;

/// The treatment of log records in unsampled spans, including custom events.
///
/// A record that follows its span has the span's sampling rate: in a request that is one of ten, Azure Monitor counts
/// it ten times. A record that is always kept counts once. The numbers are correct in both cases.
///
/// Records outside a span and availability results are always kept. Dropped records are counted as
/// [`DropReason::Unsampled`](crate::DropReason::Unsampled).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UnsampledLogs {
    /// All records follow their span.
    Drop,
    /// Records of severity `Error` and worse are kept; the others follow their span.
    #[default]
    KeepErrors,
    /// All records are kept.
    Keep,
}

/// The decision about one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogDecision {
    Dropped,
    /// Kept because its span is sampled; it has the span's sampling rate.
    FollowsSpan,
    /// Kept whether its span is sampled or not; it counts once.
    Kept,
}

impl UnsampledLogs {
    /// Decides about one record.
    pub(super) fn decide(self, record: &SdkLogRecord) -> LogDecision {
        let Some(span) = record.trace_context() else {
            return LogDecision::Kept;
        };
        let is_error = record.severity_number() >= Some(Severity::Error);
        let is_kept = match self {
            Self::Drop => false,
            Self::KeepErrors => is_error,
            Self::Keep => true,
        };
        // A context without flags belongs to a record that was made by hand.
        let is_sampled = span.trace_flags.is_none_or(|flags| flags.is_sampled());
        if is_kept || is_availability(record) {
            LogDecision::Kept
        } else if is_sampled {
            LogDecision::FollowsSpan
        } else {
            LogDecision::Dropped
        }
    }

    /// Copies a record unless it must be dropped.
    pub(crate) fn admit(
        self,
        record: &SdkLogRecord,
        scope: &InstrumentationScope,
    ) -> Option<LogData> {
        match self.decide(record) {
            LogDecision::Dropped => None,
            LogDecision::FollowsSpan => Some(LogData::new(record, scope)),
            LogDecision::Kept => Some(LogData::new(record, scope).unsampled()),
        }
    }
}

/// The result of an external test does not depend on the sampling of spans.
fn is_availability(record: &SdkLogRecord) -> bool {
    let mut keys = record.attributes_iter().map(|(key, _)| key.as_str());
    keys.any(|key| key == "microsoft.availability.id")
}

#[cfg(test)]
mod tests {
    use opentelemetry::logs::LogRecord;
    use opentelemetry::trace::{SpanId, TraceFlags, TraceId};

    use super::*;
    use crate::fixtures::log_record;

    fn record(
        severity: Option<Severity>,
        sampled: Option<bool>,
        attribute: Option<&'static str>,
    ) -> SdkLogRecord {
        log_record(|record| {
            if let Some(severity) = severity {
                record.set_severity_number(severity);
            }
            if let Some(sampled) = sampled {
                let flags = TraceFlags::default().with_sampled(sampled);
                record.set_trace_context(TraceId::from(1), SpanId::from(1), Some(flags));
            }
            if let Some(key) = attribute {
                record.add_attribute(key, "x");
            }
        })
    }

    #[test]
    fn the_setting_decides_about_records_in_spans() {
        use LogDecision::{Dropped, FollowsSpan, Kept};
        use UnsampledLogs::{Drop, Keep, KeepErrors};
        let (info, error) = (Some(Severity::Info4), Some(Severity::Error));
        for (setting, severity, in_sampled, in_unsampled) in [
            (Drop, info, FollowsSpan, Dropped),
            (Drop, error, FollowsSpan, Dropped),
            (KeepErrors, None, FollowsSpan, Dropped),
            (KeepErrors, info, FollowsSpan, Dropped),
            (KeepErrors, error, Kept, Kept),
            (Keep, info, Kept, Kept),
        ] {
            for (sampled, log_decision) in [(true, in_sampled), (false, in_unsampled)] {
                let record = record(severity, Some(sampled), None);
                assert_eq!(
                    setting.decide(&record),
                    log_decision,
                    "{setting:?} {severity:?}"
                );
            }
            assert_eq!(setting.decide(&record(severity, None, None)), Kept);
        }
    }

    #[test]
    fn availability_results_are_never_dropped() {
        let key = "microsoft.availability.id";
        let record = record(Some(Severity::Info), Some(false), Some(key));
        assert_eq!(UnsampledLogs::Drop.decide(&record), LogDecision::Kept);
    }
}
