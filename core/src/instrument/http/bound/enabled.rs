use std::hash::Hasher;
use std::sync::OnceLock;

use http::StatusCode;
use opentelemetry::StringValue;
use opentelemetry::metrics::{BoundHistogram, BoundUpDownCounter};

use super::series::Series;
use crate::instrument::hash::TextHasher;
use crate::instrument::http::labels::{EndLabels, Labels};
use crate::instrument::http::metrics::{Instruments, Measured};

/// The instruments, bound to the labels that have come.
#[derive(Debug, Default)]
pub(in crate::instrument::http) struct Bound {
    active: Series<Labels, BoundUpDownCounter<i64>>,
    ended: Series<OwnedLabels, BoundHistograms>,
}

/// [`EndLabels`] to keep.
#[derive(Debug)]
struct OwnedLabels {
    labels: Labels,
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
    /// Counts one more, or less, that is active; false if there are too many sets of labels.
    pub(in crate::instrument::http) fn change_active(
        &self,
        instruments: &Instruments,
        labels: &Labels,
        by: i64,
    ) -> bool {
        let counter = self.active.get(
            constant_hasher(labels).finish(),
            |known| is_constantly(known, labels),
            || {
                let counter = instruments.active_requests.bind(&labels.constant());
                (labels.clone(), counter)
            },
        );
        counter.map(|counter| counter.add(by)).is_some()
    }

    /// Records an exchange that ended; false if there are too many sets of labels.
    pub(in crate::instrument::http) fn record(
        &self,
        instruments: &Instruments,
        ended: EndLabels<'_>,
        measured: Measured,
    ) -> bool {
        let Some(bound) = self.histograms(instruments, ended) else {
            return false;
        };
        bound.duration.record(measured.elapsed.as_secs_f64());
        if let Some(size) = measured.request_size {
            let bind = || instruments.request_size.bind(&ended.list());
            bound.request_size.get_or_init(bind).record(size);
        }
        if let Some(size) = measured.response_size {
            let bind = || instruments.response_size.bind(&ended.list());
            bound.response_size.get_or_init(bind).record(size);
        }
        true
    }

    fn histograms(
        &self,
        instruments: &Instruments,
        ended: EndLabels<'_>,
    ) -> Option<std::sync::Arc<BoundHistograms>> {
        self.ended.get(
            complete_hash(ended),
            |known| known.is(ended),
            || {
                let bound = BoundHistograms {
                    duration: instruments.duration.bind(&ended.list()),
                    request_size: OnceLock::new(),
                    response_size: OnceLock::new(),
                };
                (OwnedLabels::of(ended), bound)
            },
        )
    }
}

impl OwnedLabels {
    fn of(ended: EndLabels<'_>) -> Self {
        Self {
            labels: ended.labels.clone(),
            status: ended.status,
            error_type: ended.error_type.cloned(),
        }
    }

    fn is(&self, ended: EndLabels<'_>) -> bool {
        self.status == ended.status
            && self.error_type.as_ref() == ended.error_type
            && self.labels == *ended.labels
    }
}

/// Whether what is known from the start to the end is the same.
fn is_constantly(known: &Labels, labels: &Labels) -> bool {
    known.method == labels.method && known.scheme == labels.scheme && known.server == labels.server
}

fn constant_hasher(labels: &Labels) -> TextHasher {
    let mut hasher = TextHasher::default();
    hasher.write(labels.method.as_bytes());
    hasher.write(labels.scheme.as_bytes());
    if let Some((address, port)) = &labels.server {
        hasher.write(address.as_str().as_bytes());
        hasher.write_u16(*port);
    }
    hasher
}

fn complete_hash(ended: EndLabels<'_>) -> u64 {
    let mut hasher = constant_hasher(ended.labels);
    hasher.write(ended.labels.version.unwrap_or_default().as_bytes());
    if let Some((_, route)) = &ended.labels.route {
        hasher.write(route.as_str().as_bytes());
    }
    hasher.write_u16(ended.status.map_or(0, |status| status.as_u16()));
    if let Some(error_type) = ended.error_type {
        hasher.write(error_type.as_str().as_bytes());
    }
    hasher.finish()
}
