use std::fmt;
use std::str::FromStr;

use azmon_envelope::{Data, Properties};

/// The kind of an item, as in Application Insights' column `itemType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// The result of an availability test.
    AvailabilityResult,
    /// The load time of a page in a browser.
    BrowserTiming,
    /// A custom event.
    CustomEvent,
    /// A value of a metric.
    CustomMetric,
    /// A call to another service.
    Dependency,
    /// An exception.
    Exception,
    /// A page view in a browser.
    PageView,
    /// A value of a performance counter of the machine or process.
    PerformanceCounter,
    /// An incoming request.
    Request,
    /// A log record.
    Trace,
}

impl ItemKind {
    /// Every kind, in the usual order of interest.
    pub const ALL: [Self; 10] = [
        Self::Request,
        Self::Dependency,
        Self::Exception,
        Self::Trace,
        Self::CustomEvent,
        Self::CustomMetric,
        Self::PerformanceCounter,
        Self::AvailabilityResult,
        Self::PageView,
        Self::BrowserTiming,
    ];

    /// The kind of a payload; `None` for an unknown one.
    #[must_use]
    pub fn of(data: &Data<'_>) -> Option<Self> {
        Some(match data {
            Data::Availability(_) => Self::AvailabilityResult,
            Data::Event(_) => Self::CustomEvent,
            Data::Exception(_) => Self::Exception,
            Data::Message(_) => Self::Trace,
            Data::Metric(data) if is_counter(&data.properties) => Self::PerformanceCounter,
            Data::Metric(_) => Self::CustomMetric,
            Data::PageView(_) => Self::PageView,
            Data::PageViewPerf(_) => Self::BrowserTiming,
            Data::RemoteDependency(_) => Self::Dependency,
            Data::Request(_) => Self::Request,
        })
    }

    /// The kind's number in the database, which never changes.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Dependency => 2,
            Self::Exception => 3,
            Self::Trace => 4,
            Self::CustomEvent => 5,
            Self::CustomMetric => 6,
            Self::PerformanceCounter => 7,
            Self::AvailabilityResult => 8,
            Self::PageView => 9,
            Self::BrowserTiming => 10,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether the kind is a span: it has an id and a duration, and may have children.
    pub(crate) const fn is_span(self) -> bool {
        matches!(
            self,
            Self::Request | Self::Dependency | Self::PageView | Self::AvailabilityResult
        )
    }

    /// The value of the column `itemType`, such as `request` or `customEvent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AvailabilityResult => "availabilityResult",
            Self::BrowserTiming => "browserTiming",
            Self::CustomEvent => "customEvent",
            Self::CustomMetric => "customMetric",
            Self::Dependency => "dependency",
            Self::Exception => "exception",
            Self::PageView => "pageView",
            Self::PerformanceCounter => "performanceCounter",
            Self::Request => "request",
            Self::Trace => "trace",
        }
    }

    /// The display name, such as `Request` or `Custom event`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::AvailabilityResult => "Availability",
            Self::BrowserTiming => "Browser timing",
            Self::CustomEvent => "Event",
            Self::CustomMetric => "Metric",
            Self::Dependency => "Dependency",
            Self::Exception => "Exception",
            Self::PageView => "Page view",
            Self::PerformanceCounter => "Performance counter",
            Self::Request => "Request",
            Self::Trace => "Trace",
        }
    }

    /// The plural of the display name, such as `Requests`.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::AvailabilityResult => "Availability",
            Self::BrowserTiming => "Browser timings",
            Self::CustomEvent => "Events",
            Self::CustomMetric => "Metrics",
            Self::Dependency => "Dependencies",
            Self::Exception => "Exceptions",
            Self::PageView => "Page views",
            Self::PerformanceCounter => "Performance counters",
            Self::Request => "Requests",
            Self::Trace => "Traces",
        }
    }
}

/// Application Insights stores a metric with this property in `performanceCounters`.
fn is_counter(properties: &Properties<'_>) -> bool {
    properties
        .get("CustomPerfCounter")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The error of parsing an unknown kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("kind {0:?} is none of {known}", known = ItemKind::ALL.map(ItemKind::as_str).join(", "))]
pub struct ParseItemKindError(String);

impl FromStr for ItemKind {
    type Err = ParseItemKindError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
            .ok_or_else(|| ParseItemKindError(text.to_owned()))
    }
}
