use std::fmt;
use std::str::FromStr;

use azmon_envelope::Data;

/// What an item is, by the name that Application Insights gives it in the column `itemType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ItemKind {
    /// The result of an availability test.
    AvailabilityResult,
    /// How long a browser took to show a page.
    BrowserTiming,
    /// A custom event.
    CustomEvent,
    /// A value of a metric.
    CustomMetric,
    /// A call to something else.
    Dependency,
    /// An error.
    Exception,
    /// A page shown in a browser.
    PageView,
    /// Work done for a caller.
    Request,
    /// A log record.
    Trace,
}

impl ItemKind {
    /// Every kind, the most looked for first.
    pub const ALL: [Self; 9] = [
        Self::Request,
        Self::Dependency,
        Self::Exception,
        Self::Trace,
        Self::CustomEvent,
        Self::CustomMetric,
        Self::AvailabilityResult,
        Self::PageView,
        Self::BrowserTiming,
    ];

    /// The kind of a payload; `None` for one that this version does not know.
    #[must_use]
    pub fn of(data: &Data<'_>) -> Option<Self> {
        Some(match data {
            Data::Availability(_) => Self::AvailabilityResult,
            Data::Event(_) => Self::CustomEvent,
            Data::Exception(_) => Self::Exception,
            Data::Message(_) => Self::Trace,
            Data::Metric(_) => Self::CustomMetric,
            Data::PageView(_) => Self::PageView,
            Data::PageViewPerf(_) => Self::BrowserTiming,
            Data::RemoteDependency(_) => Self::Dependency,
            Data::Request(_) => Self::Request,
        })
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
            Self::Request => "request",
            Self::Trace => "trace",
        }
    }

    /// The kind as a reader calls it, such as `Request` or `Custom event`.
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
            Self::Request => "Request",
            Self::Trace => "Trace",
        }
    }

    /// The kind's name for several of them, such as `Requests`.
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
            Self::Request => "Requests",
            Self::Trace => "Traces",
        }
    }
}

impl fmt::Display for ItemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no kind of item.
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
