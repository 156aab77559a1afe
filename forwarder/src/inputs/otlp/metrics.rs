//! OTLP metrics: one item for each data point.

use std::time::{Instant, SystemTime};

use azmon::mapping::{Point, Summary};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    self as otlp, AggregationTemporality, DataPointFlags, Metric, ResourceMetrics, ScopeMetrics,
    exemplar, number_data_point,
};

use crate::inputs::budget::Held;
use crate::inputs::delta::{Delta, SeriesKey, Totals};
use crate::inputs::histogram;
use crate::inputs::otlp::attributes::{to_attributes, to_texts};
use crate::inputs::otlp::read::{Read, Rejected, Room};
use crate::inputs::otlp::resource::KnownResource;
use crate::inputs::otlp::shared::Shared;
use crate::inputs::otlp::traces::{span_id, time, trace_id};
use crate::sink::{Batch, Exemplar, ReceivedItem, Refusal};

/// Reads a message with metrics.
pub(super) fn read(
    shared: &Shared,
    mut request: ExportMetricsServiceRequest,
    held: Option<&Held>,
) -> Result<Read, Refusal> {
    let mut room = Room::new();
    let lists = request.resource_metrics.iter_mut();
    lists
        .flat_map(|resource| &mut resource.scope_metrics)
        .flat_map(|scope| &mut scope.metrics)
        .for_each(|metric| keep(&mut room, metric));
    let mut read = Read {
        batches: Vec::new(),
        rejected: room.close(held)?,
    };
    for ResourceMetrics {
        resource,
        scope_metrics,
        ..
    } in request.resource_metrics
    {
        let resource = shared.resources.of(resource);
        let mut items = Vec::new();
        for ScopeMetrics { scope, metrics, .. } in scope_metrics {
            let scope = scope.map(|scope| scope.name).unwrap_or_default();
            for metric in metrics {
                let mut reader = Reader {
                    shared,
                    resource: &resource,
                    scope: &scope,
                    items: &mut items,
                    rejected: &mut read.rejected,
                    now: Instant::now(),
                };
                reader.read(metric);
            }
        }
        read.batches
            .push(Batch::new(resource.attributes.clone(), items));
    }
    Ok(read)
}

fn keep(room: &mut Room, metric: &mut Metric) {
    match &mut metric.data {
        Some(Data::Gauge(gauge)) => room.keep(&mut gauge.data_points),
        Some(Data::Sum(sum)) => room.keep(&mut sum.data_points),
        Some(Data::Histogram(histogram)) => room.keep(&mut histogram.data_points),
        Some(Data::ExponentialHistogram(histogram)) => room.keep(&mut histogram.data_points),
        Some(Data::Summary(summary)) => room.keep(&mut summary.data_points),
        None => {}
    }
}

/// Reads the metrics of one scope.
struct Reader<'a> {
    shared: &'a Shared,
    resource: &'a KnownResource,
    scope: &'a str,
    items: &'a mut Vec<ReceivedItem>,
    rejected: &'a mut Rejected,
    now: Instant,
}

/// The common fields of all kinds of points.
struct Common {
    attributes: Vec<KeyValue>,
    start: u64,
    time: u64,
    exemplars: Vec<otlp::Exemplar>,
}

impl Reader<'_> {
    fn read(&mut self, metric: Metric) {
        let name = metric.name;
        match metric.data {
            Some(Data::Gauge(gauge)) => {
                for point in gauge.data_points {
                    self.number(&name, point, false);
                }
            }
            Some(Data::Sum(sum)) => {
                let adds = sum.is_monotonic && is_cumulative(sum.aggregation_temporality);
                for point in sum.data_points {
                    self.number(&name, point, adds);
                }
            }
            Some(Data::Histogram(histogram)) => {
                let adds = is_cumulative(histogram.aggregation_temporality);
                for point in histogram.data_points {
                    self.histogram(&name, point, adds);
                }
            }
            Some(Data::ExponentialHistogram(histogram)) => {
                let adds = is_cumulative(histogram.aggregation_temporality);
                for point in histogram.data_points {
                    self.exponential(&name, point, adds);
                }
            }
            Some(Data::Summary(summary)) => {
                for point in summary.data_points {
                    self.summary(&name, point);
                }
            }
            None => self.rejected.add("a metric has no data"),
        }
    }

    fn number(&mut self, name: &str, point: otlp::NumberDataPoint, adds: bool) {
        if has_no_value(point.flags) {
            return;
        }
        let value = match point.value {
            Some(number_data_point::Value::AsDouble(number)) => number,
            Some(number_data_point::Value::AsInt(number)) => number as f64,
            None => return self.rejected.add("a data point has no value"),
        };
        let common = Common {
            attributes: point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            exemplars: point.exemplars,
        };
        let value = if adds {
            match self.added(name, &common, Totals::of_value(value)) {
                // A series without an increment is skipped.
                Some(added) if added.sum != 0.0 => added.sum,
                Some(_) | None => return,
            }
        } else {
            value
        };
        self.emit(name, common, |at, attributes| {
            Point::of_value(at, attributes, value)
        });
    }

    fn histogram(&mut self, name: &str, point: otlp::HistogramDataPoint, adds: bool) {
        if has_no_value(point.flags) {
            return;
        }
        let bounds = point.explicit_bounds;
        let common = Common {
            attributes: point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            exemplars: point.exemplars,
        };
        let mut totals = Totals {
            // Without a sum the histogram has negative values, for which OTLP defines no meaningful sum.
            sum: point.sum.unwrap_or_default(),
            count: point.count,
            buckets: point.bucket_counts,
            sum_can_shrink: bounds.first().is_some_and(|bound| *bound < 0.0),
        };
        let (mut min, mut max) = (point.min, point.max);
        if adds {
            let Some(added) = self.added(name, &common, totals) else {
                return;
            };
            totals = added;
            // Minimum and maximum cover the time since the start, so those of the interval are approximated.
            (min, max) = histogram::ends(&bounds, &totals.buckets, totals.sum, totals.count);
        }
        let summary = Summary {
            count: totals.count,
            sum: totals.sum,
            min,
            max,
        };
        self.emit(name, common, |at, attributes| {
            Point::of_histogram(at, attributes, summary, &bounds, &totals.buckets)
        });
    }

    fn exponential(&mut self, name: &str, point: otlp::ExponentialHistogramDataPoint, adds: bool) {
        if has_no_value(point.flags) {
            return;
        }
        let mut buckets = histogram::exponential_buckets(&point);
        let common = Common {
            attributes: point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            exemplars: point.exemplars,
        };
        let mut summary = Summary {
            count: point.count,
            sum: point.sum.unwrap_or_default(),
            min: point.min,
            max: point.max,
        };
        if adds {
            // The bounds of exponential buckets change with the scale, so only count and sum are compared.
            let totals = Totals {
                sum: summary.sum,
                count: summary.count,
                buckets: Vec::new(),
                sum_can_shrink: point
                    .negative
                    .is_some_and(|negative| negative.bucket_counts.iter().any(|count| *count > 0)),
            };
            let Some(added) = self.added(name, &common, totals) else {
                return;
            };
            summary = Summary {
                count: added.count,
                sum: added.sum,
                min: None,
                max: None,
            };
            buckets.clear();
        }
        self.emit(name, common, |at, attributes| {
            Point::of_exponential_histogram(at, attributes, summary, &buckets)
        });
    }

    /// The quantiles of a summary cover the time since the start, so quantiles of an interval are unknown.
    fn summary(&mut self, name: &str, point: otlp::SummaryDataPoint) {
        if has_no_value(point.flags) {
            return;
        }
        let common = Common {
            attributes: point.attributes,
            start: point.start_time_unix_nano,
            time: point.time_unix_nano,
            exemplars: Vec::new(),
        };
        let totals = Totals {
            sum: point.sum,
            count: point.count,
            ..Totals::default()
        };
        let Some(added) = self.added(name, &common, totals) else {
            return;
        };
        let summary = Summary {
            count: added.count,
            sum: added.sum,
            min: None,
            max: None,
        };
        self.emit(name, common, |at, attributes| {
            Point::of_summary(at, attributes, summary)
        });
    }

    /// The increment of a total; `None` if it is unknown.
    fn added(&mut self, name: &str, common: &Common, totals: Totals) -> Option<Totals> {
        let key = self.key(name, common);
        let start = (common.start != 0).then(|| time(common.start));
        let at = time(common.time);
        match self.shared.deltas.delta(key, start, at, totals, self.now) {
            Delta::Added(added) => Some(added),
            Delta::Baseline => None,
            Delta::Refused => {
                self.rejected.add("too many series of cumulative metrics");
                None
            }
        }
    }

    fn key(&self, name: &str, common: &Common) -> SeriesKey {
        let attributes = to_texts(&common.attributes);
        let pairs = attributes
            .iter()
            .map(|(key, value)| (key.as_str(), value.clone()));
        let family = (self.resource.id, self.scope, name);
        self.shared.deltas.key(family, pairs)
    }

    fn emit(
        &mut self,
        name: &str,
        common: Common,
        point: impl FnOnce(SystemTime, Vec<opentelemetry::KeyValue>) -> Point,
    ) {
        let at = match common.time {
            0 => SystemTime::now(),
            at => time(at),
        };
        let point = point(at, to_attributes(common.attributes));
        let exemplars = common.exemplars.iter().filter_map(to_exemplar).collect();
        // A point without values is skipped; a non-finite value cannot be represented.
        if let Some(envelope) = self.resource.mapper.map_point(self.scope, name, point) {
            let item = self.resource.item(envelope);
            self.items.push(item.with_exemplars(exemplars));
        }
    }
}

fn to_exemplar(exemplar: &otlp::Exemplar) -> Option<Exemplar> {
    let value = match exemplar.value? {
        exemplar::Value::AsDouble(number) => number,
        exemplar::Value::AsInt(number) => number as f64,
    };
    let mut made = Exemplar::new(time(exemplar.time_unix_nano), value);
    if let Some(id) = trace_id(&exemplar.trace_id) {
        made.trace_id = id.to_string();
    }
    if let Some(id) = span_id(&exemplar.span_id) {
        made.span_id = id.to_string();
    }
    made.attributes = to_texts(&exemplar.filtered_attributes);
    Some(made)
}

fn is_cumulative(temporality: i32) -> bool {
    temporality == AggregationTemporality::Cumulative as i32
}

fn has_no_value(flags: u32) -> bool {
    flags & DataPointFlags::NoRecordedValueMask as u32 != 0
}
