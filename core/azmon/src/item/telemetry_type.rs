use std::fmt;

use opentelemetry::trace::SpanKind;

use crate::envelope::{Data, Envelope};

/// The metrics of the SDK statistics, by their names in [SDK
/// stats](https://learn.microsoft.com/azure/azure-monitor/app/sdk-stats).
pub(crate) mod sdk_statistics {
    pub(crate) const SUCCEEDED: &str = "Item_Success_Count";
    pub(crate) const DROPPED: &str = "Item_Dropped_Count";
    pub(crate) const RETRIED: &str = "Item_Retry_Count";
    pub(crate) const NAMES: [&str; 3] = [SUCCEEDED, DROPPED, RETRIED];
}

/// The type of an item, by its name in the SDK statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TelemetryType {
    /// The result of an availability test.
    Availability,
    /// A custom event.
    CustomEvent,
    /// A metric of the application, or a standard metric.
    CustomMetric,
    /// A call to another service, a database or a queue, or a step inside the process.
    Dependency,
    /// An error.
    Exception,
    /// A page shown in a browser.
    PageView,
    /// A performance counter.
    PerformanceCounter,
    /// An operation that the service performs for a caller.
    Request,
    /// A metric about telemetry itself, which the statistics do not count.
    SdkStatistics,
    /// A log record.
    Trace,
}

impl TelemetryType {
    pub(crate) const ALL: [Self; 10] = [
        Self::Availability,
        Self::CustomEvent,
        Self::CustomMetric,
        Self::Dependency,
        Self::Exception,
        Self::PageView,
        Self::PerformanceCounter,
        Self::Request,
        Self::SdkStatistics,
        Self::Trace,
    ];

    /// The type as a word, as SDK statistics and logs show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Availability => "AVAILABILITY",
            Self::CustomEvent => "CUSTOM_EVENT",
            Self::CustomMetric => "CUSTOM_METRIC",
            Self::Dependency => "DEPENDENCY",
            Self::Exception => "EXCEPTION",
            Self::PageView => "PAGE_VIEW",
            Self::PerformanceCounter => "PERFORMANCE_COUNTER",
            Self::Request => "REQUEST",
            Self::SdkStatistics => "SDK_STATISTICS",
            Self::Trace => "TRACE",
        }
    }

    /// The type of the item of a span with this kind.
    #[must_use]
    pub fn of_span(kind: &SpanKind) -> Self {
        match kind {
            SpanKind::Server | SpanKind::Consumer => Self::Request,
            SpanKind::Client | SpanKind::Producer | SpanKind::Internal => Self::Dependency,
        }
    }

    /// The type of the item of a log record. `has` returns whether the record has an attribute.
    pub(crate) fn of_log(has: impl Fn(&str) -> bool) -> Self {
        if has("microsoft.availability.id") {
            Self::Availability
        } else if has("microsoft.custom_event.name") {
            Self::CustomEvent
        } else if has("exception.type") || has("exception.message") {
            Self::Exception
        } else {
            Self::Trace
        }
    }

    /// The type of the item that an envelope carries.
    pub(crate) fn of(envelope: &Envelope<'_>) -> Self {
        match &envelope.data {
            Data::Request(_) => Self::Request,
            Data::RemoteDependency(_) => Self::Dependency,
            Data::Exception(_) => Self::Exception,
            Data::Message(_) => Self::Trace,
            Data::Event(_) => Self::CustomEvent,
            Data::Availability(_) => Self::Availability,
            Data::PageView(_) | Data::PageViewPerf(_) => Self::PageView,
            Data::Metric(data) => Self::of_metric(data.metrics.first().map(|point| &*point.name)),
        }
    }

    /// Names of performance counters are paths, which OpenTelemetry does not allow as names of instruments.
    fn of_metric(name: Option<&str>) -> Self {
        match name {
            Some(name) if name.starts_with('\\') => Self::PerformanceCounter,
            Some(name) if sdk_statistics::NAMES.contains(&name) => Self::SdkStatistics,
            _ => Self::CustomMetric,
        }
    }
}

impl fmt::Display for TelemetryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signal of telemetry, which can be shut down separately.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Signal {
    /// Spans, and the events in them.
    Traces,
    /// Log records, custom events and availability results.
    Logs,
    /// Metrics, whether of the application or azmon's own.
    Metrics,
}

impl Signal {
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Logs, Self::Metrics];

    /// The signal as a word, as logs show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
            Self::Metrics => "metrics",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

const SUCCESSES: [Option<bool>; 3] = [None, Some(false), Some(true)];

/// The label under which an item is counted: signal, type, and the success that SDK statistics distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ItemLabel {
    pub(crate) signal: Signal,
    pub(crate) telemetry_type: TelemetryType,
    /// Success of a request or a dependency, if known.
    pub(crate) success: Option<bool>,
}

impl ItemLabel {
    pub(crate) const COUNT: usize = Signal::ALL.len() * TelemetryType::ALL.len() * SUCCESSES.len();

    pub(crate) fn of(signal: Signal, envelope: &Envelope<'_>) -> Self {
        let success = match &envelope.data {
            Data::Request(data) => Some(data.success),
            Data::RemoteDependency(data) => Some(data.success),
            _ => None,
        };
        Self {
            signal,
            telemetry_type: TelemetryType::of(envelope),
            success,
        }
    }

    /// Makes a label without a known success.
    pub(crate) fn new(signal: Signal, telemetry_type: TelemetryType) -> Self {
        Self {
            signal,
            telemetry_type,
            success: None,
        }
    }

    /// The index of the label, below [`COUNT`](Self::COUNT), in the order of [`all`](Self::all).
    pub(crate) fn index(self) -> usize {
        let success = match self.success {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        };
        let kind = self.signal as usize * TelemetryType::ALL.len() + self.telemetry_type as usize;
        kind * SUCCESSES.len() + success
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let types = |signal| TelemetryType::ALL.map(|telemetry_type| (signal, telemetry_type));
        let labels = |(signal, telemetry_type)| {
            SUCCESSES.map(|success| Self {
                signal,
                telemetry_type,
                success,
            })
        };
        Signal::ALL.into_iter().flat_map(types).flat_map(labels)
    }

    /// The label with this [`index`](Self::index).
    pub(crate) fn from_index(index: usize) -> Option<Self> {
        let (kind, success) = (index / SUCCESSES.len(), index % SUCCESSES.len());
        Some(Self {
            signal: *Signal::ALL.get(kind / TelemetryType::ALL.len())?,
            telemetry_type: *TelemetryType::ALL.get(kind % TelemetryType::ALL.len())?,
            success: *SUCCESSES.get(success)?,
        })
    }
}

impl From<TelemetryType> for ItemLabel {
    /// Uses the signal that usually carries the type.
    fn from(telemetry_type: TelemetryType) -> Self {
        let signal = match telemetry_type {
            TelemetryType::Request | TelemetryType::Dependency => Signal::Traces,
            TelemetryType::CustomMetric
            | TelemetryType::PerformanceCounter
            | TelemetryType::SdkStatistics => Signal::Metrics,
            _ => Signal::Logs,
        };
        Self::new(signal, telemetry_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_own_index() {
        let indexes: Vec<_> = ItemLabel::all().map(ItemLabel::index).collect();
        assert_eq!(indexes, (0..ItemLabel::COUNT).collect::<Vec<_>>());
        for label in ItemLabel::all() {
            assert_eq!(ItemLabel::from_index(label.index()), Some(label));
        }
        assert_eq!(ItemLabel::from_index(ItemLabel::COUNT), None);
    }

    #[test]
    fn metrics_are_told_apart_by_name() {
        for (name, expected) in [
            (Some("orders"), TelemetryType::CustomMetric),
            (
                Some(r"\Memory\Available Bytes"),
                TelemetryType::PerformanceCounter,
            ),
            (Some("Item_Success_Count"), TelemetryType::SdkStatistics),
            (None, TelemetryType::CustomMetric),
        ] {
            assert_eq!(TelemetryType::of_metric(name), expected, "{name:?}");
        }
    }
}
