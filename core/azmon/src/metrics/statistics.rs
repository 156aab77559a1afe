//! Statistics of the SDK: the numbers of items that were delivered, dropped and sent again.
//!
//! They are sent to the user's own resource only, as the other items are, and do not count themselves. Names and
//! dimensions are those of [SDK stats](https://learn.microsoft.com/azure/azure-monitor/app/sdk-stats), for which Azure
//! Monitor has a workbook.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use http::StatusCode;

use crate::envelope::{Envelope, MetricKind, MetricPoint, Properties};
use crate::item::sdk_statistics::{DROPPED, RETRIED, SUCCEEDED};
use crate::item::{DropReason, ItemCounters, ItemLabel, TelemetryType};
use crate::mapping::Mapper;

/// The official SDKs' code of a failure on the client's side.
const CLIENT: &str = "CLIENT_EXCEPTION";

/// Counts since the last collection.
#[derive(Debug, Default)]
pub(crate) struct Statistics {
    compute_type: &'static str,
    /// By the status of the answer; `None` without an answer.
    retried: BTreeMap<(TelemetryType, Option<u16>), u64>,
    rejected: BTreeMap<(ItemLabel, u16), u64>,
    /// Drops that earlier collections have reported.
    told: HashMap<(DropReason, ItemLabel), u64>,
    /// Deliveries that earlier collections have reported.
    told_sent: HashMap<TelemetryType, u64>,
}

impl Statistics {
    pub(super) fn new(compute_type: &'static str) -> Self {
        Self {
            compute_type,
            ..Self::default()
        }
    }

    /// Counts items that will be sent again, after a status or without an answer.
    pub(crate) fn retried(
        &mut self,
        status: Option<u16>,
        labels: impl IntoIterator<Item = ItemLabel>,
    ) {
        for label in labels {
            *self
                .retried
                .entry((label.telemetry_type, status))
                .or_default() += 1;
        }
    }

    /// Counts items that the service refused with a status; [`ItemCounters`] does not count by status.
    pub(crate) fn rejected(&mut self, status: u16, kinds: &[ItemLabel]) {
        for kind in kinds {
            *self.rejected.entry((*kind, status)).or_default() += 1;
        }
    }

    /// Takes the counts since the last call.
    pub(super) fn collect(
        &mut self,
        time: SystemTime,
        mapper: &Mapper,
        counters: &ItemCounters,
        emit: &mut impl FnMut(Envelope<'static>),
    ) {
        let common = self.common();
        for (name, telemetry_type, count, specific) in self.take(counters) {
            if telemetry_type == TelemetryType::SdkStatistics {
                continue;
            }
            let kind = ("telemetry_type", Cow::Borrowed(telemetry_type.as_str()));
            let all = common.iter().cloned().chain([kind]).chain(specific);
            let properties: Properties<'static> = all
                .map(|(key, value)| (Cow::Borrowed(key), value))
                .collect();
            emit(mapper.metric(time, point(name, count), properties));
        }
    }

    fn take(&mut self, counters: &ItemCounters) -> Vec<Line> {
        let succeeded = self.newly_sent(counters).into_iter();
        let succeeded =
            succeeded.map(|(telemetry_type, count)| (SUCCEEDED, telemetry_type, count, Vec::new()));
        let retried = std::mem::take(&mut self.retried).into_iter();
        let retried = retried.map(|((telemetry_type, status), count)| {
            let (code, reason) = match status {
                Some(status) => describe(status),
                None => (CLIENT.into(), "Network exception".into()),
            };
            let specific = vec![("retry.code", code), ("retry.reason", reason)];
            (RETRIED, telemetry_type, count, specific)
        });
        let rejected = std::mem::take(&mut self.rejected).into_iter();
        let rejected =
            rejected.map(|((kind, status), count)| dropped(kind, count, describe(status)));
        let lost = self.newly_lost(counters).into_iter();
        let lost = lost.map(|(reason, kind, count)| {
            dropped(kind, count, (CLIENT.into(), reason.as_str().into()))
        });
        succeeded
            .chain(retried)
            .chain(rejected)
            .chain(lost)
            .collect()
    }

    /// The deliveries since the last call.
    fn newly_sent(&mut self, counters: &ItemCounters) -> BTreeMap<TelemetryType, u64> {
        let mut totals: BTreeMap<TelemetryType, u64> = BTreeMap::new();
        for (label, count) in counters.sent_by_label() {
            *totals.entry(label.telemetry_type).or_default() += count;
        }
        for (telemetry_type, total) in &mut totals {
            let told = self.told_sent.entry(*telemetry_type).or_default();
            let count = *total - *told;
            *told = *total;
            *total = count;
        }
        totals.retain(|_, count| *count > 0);
        totals
    }

    /// The drops on the client's side since the last call.
    fn newly_lost(&mut self, counters: &ItemCounters) -> Vec<(DropReason, ItemLabel, u64)> {
        let mut news = Vec::new();
        for (reason, kind, total) in counters.by_label() {
            let told = self.told.entry((reason, kind)).or_default();
            let count = total - *told;
            *told = total;
            if count > 0 && reason != DropReason::Rejected {
                news.push((reason, kind, count));
            }
        }
        news
    }

    fn common(&self) -> [(&'static str, Cow<'static, str>); 3] {
        [
            ("language", "rust".into()),
            ("version", env!("CARGO_PKG_VERSION").into()),
            ("computeType", self.compute_type.into()),
        ]
    }
}

/// Name of the metric, type of the items, number of items, and further dimensions.
type Line = (
    &'static str,
    TelemetryType,
    u64,
    Vec<(&'static str, Cow<'static, str>)>,
);

fn dropped(
    kind: ItemLabel,
    count: u64,
    (code, reason): (Cow<'static, str>, Cow<'static, str>),
) -> Line {
    let mut specific = vec![("drop.code", code), ("drop.reason", reason)];
    if let Some(success) = kind.success {
        let success = if success { "true" } else { "false" };
        specific.push(("telemetry_success", success.into()));
    }
    (DROPPED, kind.telemetry_type, count, specific)
}

/// The code and the reason of a status.
fn describe(status: u16) -> (Cow<'static, str>, Cow<'static, str>) {
    let known = StatusCode::from_u16(status).ok();
    let reason = known.and_then(|status| status.canonical_reason());
    (
        status.to_string().into(),
        reason.unwrap_or("Unknown").into(),
    )
}

fn point(name: &'static str, count: u64) -> MetricPoint<'static> {
    MetricPoint {
        namespace: None,
        name: Cow::Borrowed(name),
        kind: Some(MetricKind::Aggregation),
        value: count as f64,
        count: Some(1),
        min: None,
        max: None,
        std_dev: None,
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_sdk::Resource;

    use super::*;
    use crate::envelope::Data;
    use crate::mapping::MappingOptions;

    /// The lines of a collection: name, value, and the dimensions that vary.
    fn collected(
        statistics: &mut Statistics,
        counters: &ItemCounters,
    ) -> Vec<(String, f64, Vec<String>)> {
        let mapper = Mapper::new(
            "key",
            &Resource::builder_empty().build(),
            MappingOptions::default(),
        );
        let mut lines = Vec::new();
        statistics.collect(SystemTime::UNIX_EPOCH, &mapper, counters, &mut |envelope| {
            let Data::Metric(data) = &envelope.data else {
                panic!("{envelope:?}")
            };
            let dimensions = data.properties.iter().skip(3);
            let values = dimensions.map(|(key, value)| format!("{key}={value}"));
            let point = &data.metrics[0];
            lines.push((point.name.to_string(), point.value, values.collect()));
        });
        lines
    }

    fn line(name: &str, value: f64, dimensions: &[&str]) -> (String, f64, Vec<String>) {
        let dimensions = dimensions.iter().map(|text| (*text).to_owned());
        (name.to_owned(), value, dimensions.collect())
    }

    fn kind(telemetry_type: TelemetryType, success: Option<bool>) -> ItemLabel {
        ItemLabel {
            success,
            ..telemetry_type.into()
        }
    }

    #[test]
    fn every_outcome_is_told_once_with_its_dimensions() {
        let (mut statistics, counters) = (Statistics::new("aks"), ItemCounters::default());
        let failed = kind(TelemetryType::Request, Some(false));
        let trace = kind(TelemetryType::Trace, None);
        counters.take([failed, trace, trace]);
        counters.sent([failed, trace, trace]);
        statistics.retried(Some(503), [trace]);
        statistics.retried(None, [trace]);
        statistics.rejected(400, &[failed, failed]);
        counters.count(DropReason::Rejected, failed, 2);
        counters.count(DropReason::QueueFull, TelemetryType::Dependency, 7);
        assert_eq!(
            collected(&mut statistics, &counters),
            [
                line("Item_Success_Count", 1.0, &["telemetry_type=REQUEST"]),
                line("Item_Success_Count", 2.0, &["telemetry_type=TRACE"]),
                line(
                    "Item_Retry_Count",
                    1.0,
                    &[
                        "telemetry_type=TRACE",
                        "retry.code=CLIENT_EXCEPTION",
                        "retry.reason=Network exception"
                    ]
                ),
                line(
                    "Item_Retry_Count",
                    1.0,
                    &[
                        "telemetry_type=TRACE",
                        "retry.code=503",
                        "retry.reason=Service Unavailable"
                    ]
                ),
                line(
                    "Item_Dropped_Count",
                    2.0,
                    &[
                        "telemetry_type=REQUEST",
                        "drop.code=400",
                        "drop.reason=Bad Request",
                        "telemetry_success=false"
                    ]
                ),
                line(
                    "Item_Dropped_Count",
                    7.0,
                    &[
                        "telemetry_type=DEPENDENCY",
                        "drop.code=CLIENT_EXCEPTION",
                        "drop.reason=queue_full"
                    ]
                ),
            ]
        );
        assert_eq!(collected(&mut statistics, &counters), []);
        counters.count(DropReason::QueueFull, TelemetryType::Dependency, 1);
        assert_eq!(collected(&mut statistics, &counters)[0].1, 1.0);
    }

    #[test]
    fn statistics_do_not_count_themselves() {
        let (mut statistics, counters) = (Statistics::default(), ItemCounters::default());
        let own = [TelemetryType::SdkStatistics.into()];
        counters.take(own);
        counters.sent(own);
        counters.count(DropReason::Shutdown, TelemetryType::SdkStatistics, 1);
        assert_eq!(collected(&mut statistics, &counters), []);
    }
}
