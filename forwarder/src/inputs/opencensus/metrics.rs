//! OpenCensus metrics: one item for each point.

use std::time::{Instant, SystemTime};

use azmon::mapping::{Point, Summary};
use opentelemetry::KeyValue;

use crate::inputs::delta::{Delta, Totals};
use crate::inputs::histogram;
use crate::inputs::opencensus::node::Sender;
use crate::inputs::opencensus::shared::Shared;
use crate::inputs::opencensus::spans::to_time;
use crate::proto::opencensus::proto::metrics::v1 as oc;
use crate::proto::opencensus::proto::metrics::v1::distribution_value::bucket_options;
use crate::proto::opencensus::proto::metrics::v1::metric_descriptor::Type;
use crate::proto::opencensus::proto::metrics::v1::point::Value;
use crate::sink::{Exemplar, ReceivedItem};

/// Reads the metrics of a message. Also returns the number of points that could not be read.
pub(super) fn read(
    shared: &Shared,
    sender: &Sender,
    metrics: Vec<oc::Metric>,
) -> (Vec<ReceivedItem>, u64) {
    let mut reader = Reader {
        shared,
        sender,
        items: Vec::new(),
        rejected: 0,
        now: Instant::now(),
    };
    for metric in metrics {
        match metric.metric_descriptor {
            Some(descriptor) => metric
                .timeseries
                .into_iter()
                .for_each(|series| reader.series(&descriptor, series)),
            None => reader.rejected += metric.timeseries.len() as u64,
        }
    }
    (reader.items, reader.rejected)
}

struct Reader<'a> {
    shared: &'a Shared,
    sender: &'a Sender,
    items: Vec<ReceivedItem>,
    rejected: u64,
    now: Instant,
}

/// The common part of a series' points.
struct Series<'a> {
    name: &'a str,
    is_total: bool,
    labels: Vec<(&'a str, String)>,
    start: Option<SystemTime>,
}

impl Reader<'_> {
    fn series(&mut self, descriptor: &oc::MetricDescriptor, series: oc::TimeSeries) {
        let is_total = matches!(
            descriptor.r#type(),
            Type::CumulativeInt64
                | Type::CumulativeDouble
                | Type::CumulativeDistribution
                | Type::Summary
        );
        // A label without a value is ignored.
        let labels = descriptor
            .label_keys
            .iter()
            .zip(series.label_values)
            .filter(|(_, value)| value.has_value)
            .map(|(key, value)| (key.key.as_str(), value.value))
            .collect();
        let known = Series {
            name: &descriptor.name,
            is_total,
            labels,
            start: series.start_timestamp.and_then(to_time),
        };
        for point in series.points {
            self.point(&known, point);
        }
    }

    fn point(&mut self, series: &Series<'_>, point: oc::Point) {
        let at = point.timestamp.and_then(to_time);
        let at = at.unwrap_or_else(SystemTime::now);
        match point.value {
            Some(Value::Int64Value(number)) => self.value(series, at, number as f64),
            Some(Value::DoubleValue(number)) => self.value(series, at, number),
            Some(Value::DistributionValue(values)) => self.distribution(series, at, values),
            Some(Value::SummaryValue(values)) => self.summary(series, at, &values),
            None => self.rejected += 1,
        }
    }

    fn value(&mut self, series: &Series<'_>, at: SystemTime, value: f64) {
        let value = if series.is_total {
            match self.added(series, at, Totals::of_value(value)) {
                Some(added) if added.sum != 0.0 => added.sum,
                Some(_) | None => return,
            }
        } else {
            value
        };
        let point = Point::of_value(at, attributes(series), value);
        self.emit(series, point, Vec::new());
    }

    fn distribution(&mut self, series: &Series<'_>, at: SystemTime, values: oc::DistributionValue) {
        let bounds = match values.bucket_options.and_then(|options| options.r#type) {
            Some(bucket_options::Type::Explicit(explicit)) => explicit.bounds,
            None => Vec::new(),
        };
        let count = |count: i64| u64::try_from(count).unwrap_or_default();
        let exemplars = values.buckets.iter();
        let exemplars = exemplars.filter_map(|bucket| bucket.exemplar.as_ref().map(to_exemplar));
        let exemplars: Vec<_> = exemplars.collect();
        let mut totals = Totals {
            sum: values.sum,
            count: count(values.count),
            buckets: values
                .buckets
                .iter()
                .map(|bucket| count(bucket.count))
                .collect(),
            sum_can_shrink: bounds.first().is_some_and(|bound| *bound < 0.0),
        };
        if series.is_total {
            let Some(added) = self.added(series, at, totals) else {
                return;
            };
            totals = added;
        }
        let (min, max) = histogram::ends(&bounds, &totals.buckets, totals.sum, totals.count);
        let summary = Summary {
            count: totals.count,
            sum: totals.sum,
            min,
            max,
        };
        let attributes = attributes(series);
        let point = Point::of_histogram(at, attributes, summary, &bounds, &totals.buckets);
        self.emit(series, point, exemplars);
    }

    /// The percentiles of a summary cover the time since the start, so percentiles of an interval are unknown.
    fn summary(&mut self, series: &Series<'_>, at: SystemTime, values: &oc::SummaryValue) {
        let totals = Totals {
            sum: values.sum.unwrap_or_default(),
            count: values
                .count
                .and_then(|count| count.try_into().ok())
                .unwrap_or_default(),
            ..Totals::default()
        };
        let Some(added) = self.added(series, at, totals) else {
            return;
        };
        let summary = Summary {
            count: added.count,
            sum: added.sum,
            min: None,
            max: None,
        };
        let point = Point::of_summary(at, attributes(series), summary);
        self.emit(series, point, Vec::new());
    }

    fn added(&mut self, series: &Series<'_>, at: SystemTime, totals: Totals) -> Option<Totals> {
        let family = (self.sender.id, series.name);
        let labels = series.labels.iter();
        let labels = labels.map(|(key, value)| (*key, value.clone()));
        let key = self.shared.deltas.key(family, labels);
        let deltas = &self.shared.deltas;
        match deltas.delta(key, series.start, at, totals, self.now) {
            Delta::Added(added) => Some(added),
            Delta::Baseline => None,
            Delta::Refused => {
                self.rejected += 1;
                None
            }
        }
    }

    fn emit(&mut self, series: &Series<'_>, point: Point, exemplars: Vec<Exemplar>) {
        // A point without values is skipped; a non-finite value cannot be represented.
        if let Some(envelope) = self.sender.mapper.map_point("", series.name, point) {
            let item = self.sender.item(envelope);
            self.items.push(item.with_exemplars(exemplars));
        }
    }
}

fn attributes(series: &Series<'_>) -> Vec<KeyValue> {
    let labels = series.labels.iter();
    labels
        .map(|(key, value)| KeyValue::new((*key).to_owned(), value.clone()))
        .collect()
}

fn to_exemplar(exemplar: &oc::distribution_value::Exemplar) -> Exemplar {
    let time = exemplar.timestamp.and_then(to_time);
    let mut made = Exemplar::new(time.unwrap_or_else(SystemTime::now), exemplar.value);
    let attachments = exemplar.attachments.iter();
    made.attributes = attachments
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    made
}
