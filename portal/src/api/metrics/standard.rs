//! Metrics that are computed from items, under the names of Application Insights.

use crate::api::metrics::points::Of;
use crate::store::ItemKind;

/// Metrics that are computed from items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standard {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) kind: ItemKind,
    pub(super) only_failed: bool,
    pub(super) is_duration: bool,
    pub(super) group: &'static str,
}

const fn standard(
    name: &'static str,
    title: &'static str,
    kind: ItemKind,
    only_failed: bool,
    is_duration: bool,
) -> Standard {
    let group = if matches!(kind, ItemKind::PageView | ItemKind::BrowserTiming) {
        "browser"
    } else {
        "standard"
    };
    Standard {
        name,
        title,
        kind,
        only_failed,
        is_duration,
        group,
    }
}

impl Standard {
    pub(super) const fn of(self) -> Of {
        if self.is_duration {
            Of::Duration
        } else {
            Of::Count
        }
    }
}

pub(super) const STANDARD: [Standard; 14] = [
    standard(
        "requests/duration",
        "Request duration",
        ItemKind::Request,
        false,
        true,
    ),
    standard(
        "requests/count",
        "Requests",
        ItemKind::Request,
        false,
        false,
    ),
    standard(
        "requests/failed",
        "Failed requests",
        ItemKind::Request,
        true,
        false,
    ),
    standard(
        "dependencies/duration",
        "Dependency duration",
        ItemKind::Dependency,
        false,
        true,
    ),
    standard(
        "dependencies/count",
        "Dependency calls",
        ItemKind::Dependency,
        false,
        false,
    ),
    standard(
        "dependencies/failed",
        "Failed dependency calls",
        ItemKind::Dependency,
        true,
        false,
    ),
    standard(
        "exceptions/count",
        "Exceptions",
        ItemKind::Exception,
        false,
        false,
    ),
    standard("traces/count", "Traces", ItemKind::Trace, false, false),
    standard(
        "customEvents/count",
        "Events",
        ItemKind::CustomEvent,
        false,
        false,
    ),
    standard(
        "availabilityResults/count",
        "Availability tests",
        ItemKind::AvailabilityResult,
        false,
        false,
    ),
    standard(
        "availabilityResults/duration",
        "Availability test duration",
        ItemKind::AvailabilityResult,
        false,
        true,
    ),
    standard(
        "pageViews/count",
        "Page views",
        ItemKind::PageView,
        false,
        false,
    ),
    standard(
        "pageViews/duration",
        "Page view duration",
        ItemKind::PageView,
        false,
        true,
    ),
    standard(
        "browserTimings/duration",
        "Page load",
        ItemKind::BrowserTiming,
        false,
        true,
    ),
];

pub(super) const STANDARD_DIMENSIONS: [&str; 8] = [
    "role",
    "instance",
    "name",
    "target",
    "type",
    "resultCode",
    "success",
    "operation_Name",
];
