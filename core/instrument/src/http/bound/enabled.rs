use std::sync::{Arc, OnceLock};

use http::StatusCode;
use opentelemetry::StringValue;
use opentelemetry::metrics::{BoundHistogram, BoundUpDownCounter};

use super::chain::Chain;
use crate::http::instruments::{Instruments, Measured};
use crate::http::labels::{EndLabels, LabelList, Labels};
use crate::intern::{BoundedTable, TextHasher, ptr_or_text_eq};

/// Instruments that are bound to the labels seen so far.
#[derive(Debug, Default)]
pub(in crate::http) struct Bound {
    groups: BoundedTable<Arc<BoundGroup>>,
}

/// The instruments for exchanges with equal labels, except those that the response adds.
#[derive(Debug)]
pub(in crate::http) enum Group {
    Bound(Arc<BoundGroup>),
    /// The table of bound groups is full.
    Unbound(Box<Labels<'static>>),
}

#[derive(Debug)]
pub(in crate::http) struct BoundGroup {
    labels: Labels<'static>,
    active: BoundUpDownCounter<i64>,
    ended: Chain<ResponseLabels, BoundHistograms>,
}

/// An owned copy of [`EndLabels`].
#[derive(Debug)]
struct ResponseLabels {
    version: Option<&'static str>,
    status: Option<StatusCode>,
    error_type: Option<StringValue>,
}

/// Histograms for one set of labels. A size histogram is bound only once a size is known: a bound series without values
/// would be exported.
#[derive(Debug)]
struct BoundHistograms {
    duration: BoundHistogram<f64>,
    request_size: OnceLock<BoundHistogram<u64>>,
    response_size: OnceLock<BoundHistogram<u64>>,
}

impl Bound {
    /// Returns the group of an exchange.
    pub(in crate::http) fn group(&self, instruments: &Instruments, labels: Labels<'_>) -> Group {
        /// A longer host name is not kept: the caller may choose it.
        const MAX_AUTHORITY: usize = 256;
        let authority = labels.authority.as_deref().unwrap_or_default();
        if authority.len() > MAX_AUTHORITY {
            return Group::Unbound(Box::new(labels.to_owned()));
        }
        let known = self.groups.get(
            hash(&labels),
            |group| group.has(&labels),
            || {
                Arc::new(BoundGroup {
                    labels: labels.to_owned(),
                    active: instruments.active_requests.bind(&labels.constant()),
                    ended: Chain::default(),
                })
            },
        );
        match known {
            Some(group) => Group::Bound(Arc::clone(group)),
            None => Group::Unbound(Box::new(labels.to_owned())),
        }
    }
}

impl Group {
    pub(in crate::http) fn labels(&self) -> &Labels<'static> {
        match self {
            Self::Bound(group) => &group.labels,
            Self::Unbound(labels) => labels,
        }
    }

    /// Adds `by` to the number of active exchanges.
    pub(in crate::http) fn change_active(&self, instruments: &Instruments, by: i64) {
        match self {
            Self::Bound(group) => group.active.add(by),
            Self::Unbound(labels) => instruments.change_active(labels, by),
        }
    }

    /// Records the measurements of an exchange that ended.
    pub(in crate::http) fn record(
        &self,
        instruments: &Instruments,
        ended: EndLabels<'_>,
        measured: Measured,
    ) {
        let list = || ended.list_with(self.labels());
        let bound = match self {
            Self::Bound(group) => group.ended.get(
                |known| known.are(ended),
                || {
                    let duration = instruments.duration.bind(&list());
                    (ResponseLabels::of(ended), BoundHistograms::new(duration))
                },
            ),
            Self::Unbound(_) => None,
        };
        match bound {
            Some(bound) => bound.record(instruments, list, measured),
            None => instruments.record(&list(), measured),
        }
    }
}

impl BoundGroup {
    fn has(&self, labels: &Labels<'_>) -> bool {
        let known = &self.labels;
        ptr_or_text_eq(known.method, labels.method)
            && ptr_or_text_eq(known.scheme, labels.scheme)
            && match (&known.route, &labels.route) {
                (None, None) => true,
                (Some((_, known)), Some((_, route))) => {
                    ptr_or_text_eq(known.as_str(), route.as_str())
                }
                _ => false,
            }
            && known.authority == labels.authority
    }
}

impl ResponseLabels {
    fn of(ended: EndLabels<'_>) -> Self {
        Self {
            version: ended.version,
            status: ended.status,
            error_type: ended.error_type.cloned(),
        }
    }

    fn are(&self, ended: EndLabels<'_>) -> bool {
        self.status == ended.status
            && self.error_type.as_ref() == ended.error_type
            && self.version == ended.version
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

    fn record(
        &self,
        instruments: &Instruments,
        labels: impl Fn() -> LabelList,
        measured: Measured,
    ) {
        self.duration.record(measured.elapsed.as_secs_f64());
        if let Some(size) = measured.request_size {
            let bind = || instruments.request_size.bind(&labels());
            self.request_size.get_or_init(bind).record(size);
        }
        if let Some(size) = measured.response_size {
            let bind = || instruments.response_size.bind(&labels());
            self.response_size.get_or_init(bind).record(size);
        }
    }
}

fn hash(labels: &Labels<'_>) -> u64 {
    let mut hasher = TextHasher::default();
    hasher.write(labels.method);
    hasher.write(labels.scheme);
    if let Some((_, route)) = &labels.route {
        hasher.write(route.as_str());
    }
    if let Some(authority) = &labels.authority {
        hasher.write(authority);
    }
    hasher.finish()
}
