//! A configuration, understood: a part that cannot be is refused whole and reported, the rest applies.

use std::collections::HashSet;

use crate::live_metrics::derived::{Aggregation, DerivedMetric, Projection};
use crate::live_metrics::filter::{Group, InvalidFilter, shortened};
use crate::live_metrics::subject::LiveTelemetryType;
use crate::live_metrics::wire::{
    ConfigurationError, ConfigurationInfo, FilterGroupInfo, MetricInfo, Pair, QuotaInfo, StreamInfo,
};

/// Largest configuration that is read, in bytes.
pub const MAX_CONFIGURATION: usize = 1 << 20;
/// Most filters of a configuration, over all metrics and streams.
pub const MAX_FILTERS: usize = 256;
/// Most derived metrics.
const MAX_METRICS: usize = 128;
/// Most document streams.
const MAX_STREAMS: usize = 64;
/// Most errors that are reported.
const MAX_ERRORS: usize = 64;
/// Longest id, in characters; it is sent with every sample.
const MAX_ID: usize = 256;

/// Derived metrics, document streams and quotas.
#[derive(Debug, Default)]
pub struct Configuration {
    pub(super) etag: String,
    pub(super) metrics: Vec<DerivedMetric>,
    pub(super) streams: Vec<Stream>,
    pub(super) quota: Option<QuotaInfo>,
    pub(super) errors: Vec<ConfigurationError>,
}

/// The filters of one document stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: String,
    /// In the order of [`LiveTelemetryType::ALL`]; a type without groups is not sampled.
    pub(super) groups: [Vec<Group>; LiveTelemetryType::ALL.len()],
}

impl Configuration {
    /// Understands a body of JSON; one that is none is an empty configuration with an error.
    #[must_use]
    pub fn read(etag: &str, body: &[u8]) -> Self {
        if body.len() > MAX_CONFIGURATION {
            return Self::refused(
                etag,
                format!("the configuration is larger than {MAX_CONFIGURATION} bytes"),
            );
        }
        match serde_json::from_slice::<ConfigurationInfo>(body) {
            Ok(info) => Self::new(&ConfigurationInfo {
                etag: etag.to_owned(),
                ..info
            }),
            Err(error) => {
                Self::refused(etag, format!("the configuration is not readable: {error}"))
            }
        }
    }

    /// A configuration none of which applies.
    #[must_use]
    pub fn refused(etag: &str, reason: String) -> Self {
        let mut refused = Self {
            etag: etag.to_owned(),
            ..Self::default()
        };
        refused.report(
            "CollectionConfigurationFailureToCreateUnexpected",
            reason,
            &[],
        );
        refused
    }

    /// Understands a configuration.
    #[must_use]
    pub fn new(info: &ConfigurationInfo) -> Self {
        let mut new = Self {
            etag: info.etag.clone(),
            quota: info.quota_info,
            ..Self::default()
        };
        let mut room = MAX_FILTERS;
        let mut ids = HashSet::new();
        for metric in &info.metrics {
            let id = [("MetricId", metric.id.as_str())];
            if new.metrics.len() == MAX_METRICS {
                let reason = format!("there are more than {MAX_METRICS} metrics");
                new.report("MetricFailureToCreate", reason, &id);
            } else if !ids.insert(metric.id.as_str()) {
                let reason = "another metric has the same id".to_owned();
                new.report("MetricDuplicateIds", reason, &id);
            } else {
                new.add_metric(metric, &mut room);
            }
        }
        ids.clear();
        for stream in &info.document_streams {
            let id = [("DocumentStreamId", stream.id.as_str())];
            if new.streams.len() == MAX_STREAMS {
                let reason = format!("there are more than {MAX_STREAMS} streams");
                new.report("DocumentStreamFailureToCreate", reason, &id);
            } else if stream.id.chars().count() > MAX_ID {
                let reason = format!("the id is longer than {MAX_ID} characters");
                new.report("DocumentStreamFailureToCreate", reason, &id);
            } else if !ids.insert(stream.id.as_str()) {
                let reason = "another stream has the same id".to_owned();
                new.report("DocumentStreamDuplicateIds", reason, &id);
            } else {
                new.add_stream(stream, &mut room);
            }
        }
        new
    }

    /// Names the configuration.
    #[must_use]
    pub fn etag(&self) -> &str {
        &self.etag
    }

    /// The parts that could not be understood.
    #[must_use]
    pub fn errors(&self) -> &[ConfigurationError] {
        &self.errors
    }

    /// Whether items of some type are sampled.
    pub(super) fn samples(&self, of: LiveTelemetryType) -> bool {
        let mut streams = self.streams.iter();
        streams.any(|stream| !stream.groups_of(of).is_empty())
    }

    fn add_metric(&mut self, info: &MetricInfo, room: &mut usize) {
        let id = [("MetricId", info.id.as_str())];
        let Some(of) = LiveTelemetryType::of_name(&info.telemetry_type) else {
            let name = shortened(&info.telemetry_type);
            let reason = format!("the telemetry type {name:?} is not supported");
            return self.report("MetricTelemetryTypeUnsupported", reason, &id);
        };
        if info.id.chars().count() > MAX_ID {
            let reason = format!("the id is longer than {MAX_ID} characters");
            return self.report("MetricFailureToCreate", reason, &id);
        }
        let parts = Projection::parse(of, &info.projection)
            .and_then(|projection| Ok((projection, Aggregation::parse(&info.aggregation)?)));
        let (projection, aggregation) = match parts {
            Ok(parts) => parts,
            Err(reason) => return self.report("MetricFailureToCreate", reason, &id),
        };
        match groups(of, &info.filter_groups, room) {
            Ok(groups) => self.metrics.push(DerivedMetric {
                id: info.id.clone(),
                of,
                groups,
                projection,
                aggregation,
            }),
            Err(Refusal::Filter(invalid)) => {
                self.report_filter("MetricFailureToCreateFilterUnexpected", &invalid, id[0]);
            }
            Err(Refusal::TooMany) => self.report("MetricFailureToCreate", too_many(), &id),
        }
    }

    /// A group that is refused leaves the others of its stream; the type may then have none.
    fn add_stream(&mut self, info: &StreamInfo, room: &mut usize) {
        let id = ("DocumentStreamId", info.id.as_str());
        let mut groups = <[Vec<Group>; LiveTelemetryType::ALL.len()]>::default();
        for group in &info.document_filter_groups {
            let Some(of) = LiveTelemetryType::of_name(&group.telemetry_type) else {
                let name = shortened(&group.telemetry_type);
                let reason = format!("the telemetry type {name:?} is not supported");
                let error = "CollectionConfigurationFailureToCreateUnexpected";
                self.report(error, reason, &[id]);
                continue;
            };
            match self::groups(of, std::slice::from_ref(&group.filters), room) {
                Ok(more) => {
                    if let Some(known) = groups.get_mut(of as usize) {
                        known.extend(more);
                    }
                }
                Err(Refusal::Filter(invalid)) => {
                    let error = "DocumentStreamFailureToCreateFilterUnexpected";
                    self.report_filter(error, &invalid, id);
                }
                Err(Refusal::TooMany) => {
                    self.report("DocumentStreamFailureToCreate", too_many(), &[id]);
                }
            }
        }
        self.streams.push(Stream {
            id: info.id.clone(),
            groups,
        });
    }

    fn report_filter(
        &mut self,
        error: &'static str,
        invalid: &InvalidFilter,
        of: (&'static str, &str),
    ) {
        let InvalidFilter { filter, reason } = invalid;
        let comparand = filter.comparand.as_deref().unwrap_or_default();
        let data = [
            of,
            ("FilterFieldName", filter.field_name.as_str()),
            ("FilterPredicate", filter.predicate.as_str()),
            ("FilterComparand", comparand),
        ];
        self.report(error, reason.clone(), &data);
    }

    fn report(&mut self, error: &'static str, message: String, data: &[(&str, &str)]) {
        if self.errors.len() == MAX_ERRORS {
            return;
        }
        let etag = ("ETag", self.etag.as_str());
        let data = data.iter().copied().chain([etag]);
        self.errors.push(ConfigurationError {
            collection_configuration_error_type: error,
            message,
            full_exception: "",
            data: data
                .map(|(key, value)| Pair::new(key, shortened(value)))
                .collect(),
        });
    }
}

impl Stream {
    pub(super) fn groups_of(&self, of: LiveTelemetryType) -> &[Group] {
        self.groups.get(of as usize).map_or(&[], Vec::as_slice)
    }
}

enum Refusal {
    Filter(InvalidFilter),
    TooMany,
}

fn groups(
    of: LiveTelemetryType,
    infos: &[FilterGroupInfo],
    room: &mut usize,
) -> Result<Vec<Group>, Refusal> {
    // A group without filters takes room, too.
    let needed: usize = infos.iter().map(|info| info.filters.len().max(1)).sum();
    let left = room.checked_sub(needed).ok_or(Refusal::TooMany)?;
    let groups = infos.iter().map(|info| Group::new(of, info));
    let groups = groups.collect::<Result<_, _>>().map_err(Refusal::Filter)?;
    *room = left;
    Ok(groups)
}

fn too_many() -> String {
    format!("the configuration has more than {MAX_FILTERS} filters")
}
