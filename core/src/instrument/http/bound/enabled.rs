use std::sync::{Arc, OnceLock};

use http::StatusCode;
use opentelemetry::StringValue;
use opentelemetry::metrics::{BoundHistogram, BoundUpDownCounter};

use super::chain::Chain;
use crate::instrument::bounded_table::BoundedTable;
use crate::instrument::hash::TextHasher;
use crate::instrument::http::labels::{EndLabels, Labels};
use crate::instrument::http::metrics::{Instruments, Measured};
use crate::instrument::same_text::same_text;

/// The instruments, bound to the labels that have come.
#[derive(Debug, Default)]
pub(in crate::instrument::http) struct Bound {
    groups: BoundedTable<Arc<Group>>,
}

/// An exchange that counts as active: what it was found to belong to when it started.
#[derive(Debug)]
pub(in crate::instrument::http) struct Active(Option<Arc<Group>>);

/// The exchanges whose labels are the same, but for those that the response brings.
#[derive(Debug)]
struct Group {
    labels: Labels,
    active: BoundUpDownCounter<i64>,
    ended: Chain<ResponseLabels, BoundHistograms>,
}

#[derive(Debug)]
struct ResponseLabels {
    version: Option<&'static str>,
    status: Option<StatusCode>,
    error_type: Option<StringValue>,
}

/// Histograms for one set of labels. Those of sizes are bound when a size is known: a series of nothing
/// would be exported.
#[derive(Debug)]
struct BoundHistograms {
    duration: BoundHistogram<f64>,
    request_size: OnceLock<BoundHistogram<u64>>,
    response_size: OnceLock<BoundHistogram<u64>>,
}

impl Bound {
    /// Counts one more that is active.
    pub(in crate::instrument::http) fn start(
        &self,
        instruments: &Instruments,
        labels: &Labels,
    ) -> Active {
        let group = self.group(instruments, labels);
        match &group {
            Some(group) => group.active.add(1),
            None => instruments.change_active(labels, 1),
        }
        Active(group)
    }

    /// Counts one less, and records what is measured of it.
    pub(in crate::instrument::http) fn end(
        &self,
        instruments: &Instruments,
        Active(group): Active,
        ended: EndLabels<'_>,
        measured: Measured,
    ) {
        match &group {
            Some(group) => group.active.add(-1),
            None => instruments.change_active(ended.labels, -1),
        }
        // A route may have become known since the start.
        let group = group
            .filter(|group| group.has(ended.labels))
            .or_else(|| self.group(instruments, ended.labels));
        let histograms = group.as_ref().and_then(|group| {
            group.ended.get(
                |known| known.are(ended),
                || {
                    let duration = instruments.duration.bind(&ended.list());
                    (ResponseLabels::of(ended), BoundHistograms::new(duration))
                },
            )
        });
        match histograms {
            Some(histograms) => histograms.record(instruments, ended, measured),
            None => instruments.record(ended, measured),
        }
    }

    /// `None` if there are too many.
    fn group(&self, instruments: &Instruments, labels: &Labels) -> Option<Arc<Group>> {
        self.groups.get(
            hash(labels),
            |group| group.has(labels),
            || {
                Arc::new(Group {
                    labels: labels.clone(),
                    active: instruments.active_requests.bind(&labels.constant()),
                    ended: Chain::default(),
                })
            },
        )
    }
}

impl Group {
    fn has(&self, labels: &Labels) -> bool {
        let known = &self.labels;
        same_text(known.method, labels.method)
            && same_text(known.scheme, labels.scheme)
            && match (&known.route, &labels.route) {
                (None, None) => true,
                (Some((_, known)), Some((_, route))) => same_text(known.as_str(), route.as_str()),
                _ => false,
            }
            && match (&known.server, &labels.server) {
                (None, None) => true,
                (Some((known, known_port)), Some((address, port))) => {
                    known_port == port && same_text(known.as_str(), address.as_str())
                }
                _ => false,
            }
    }
}

impl ResponseLabels {
    fn of(ended: EndLabels<'_>) -> Self {
        Self {
            version: ended.labels.version,
            status: ended.status,
            error_type: ended.error_type.cloned(),
        }
    }

    fn are(&self, ended: EndLabels<'_>) -> bool {
        self.status == ended.status
            && self.error_type.as_ref() == ended.error_type
            && self.version == ended.labels.version
    }
}

impl BoundHistograms {
    fn new(duration: BoundHistogram<f64>) -> Self {
        Self {
            duration,
            request_size: OnceLock::new(),
            response_size: OnceLock::new(),
        }
    }

    fn record(&self, instruments: &Instruments, ended: EndLabels<'_>, measured: Measured) {
        self.duration.record(measured.elapsed.as_secs_f64());
        if let Some(size) = measured.request_size {
            let bind = || instruments.request_size.bind(&ended.list());
            self.request_size.get_or_init(bind).record(size);
        }
        if let Some(size) = measured.response_size {
            let bind = || instruments.response_size.bind(&ended.list());
            self.response_size.get_or_init(bind).record(size);
        }
    }
}

fn hash(labels: &Labels) -> u64 {
    let mut hasher = TextHasher::default();
    hasher.write(labels.method);
    hasher.write(labels.scheme);
    if let Some((_, route)) = &labels.route {
        hasher.write(route.as_str());
    }
    if let Some((address, port)) = &labels.server {
        hasher.write(address.as_str());
        hasher.write_number((*port).into());
    }
    hasher.finish()
}
