use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, ResourceMetrics};

use crate::envelope::{
    Data, Envelope, MetricData, MetricKind, MetricPoint, Properties, SCHEMA_VERSION, tags,
};
use crate::mapping::attributes::Attributes;
use crate::mapping::metric::point::Point;
use crate::mapping::{Arena, Mapper, context, text};

impl Mapper {
    /// Makes an envelope for each data point of a collection.
    ///
    /// | Instrument | `value` | `count` | `min`, `max`, `stdDev` |
    /// |---|---|---|---|
    /// | counters, gauges | the value | 1 | |
    /// | histograms of both kinds | the sum | the number of values | from the data point |
    ///
    /// The standard deviation of a histogram is exact for up to three values. Otherwise it is estimated from the
    /// buckets, whose values are assumed to be evenly spread. It is omitted if all values of an explicit histogram are
    /// in one bucket. A point makes no envelope if its value is not finite or it contains no values. Resource
    /// attributes are ignored: the mapper has its own resource. The envelopes own their texts, because the SDK reuses
    /// the memory of the collection.
    pub fn map_metrics(&self, metrics: &ResourceMetrics, mut emit: impl FnMut(Envelope<'static>)) {
        for scope in metrics.scope_metrics() {
            for metric in scope.metrics() {
                let mut emit_point = |point: Point| {
                    let envelope = self.map_point(scope.scope().name(), metric.name(), point);
                    envelope.into_iter().for_each(&mut emit);
                };
                match metric.data() {
                    AggregatedMetrics::F64(points) => Point::each(points, &mut emit_point),
                    AggregatedMetrics::U64(points) => Point::each(points, &mut emit_point),
                    AggregatedMetrics::I64(points) => Point::each(points, &mut emit_point),
                }
            }
        }
    }

    /// Makes the envelope of a metric that does not come from an instrument.
    pub(crate) fn metric(
        &self,
        time: SystemTime,
        point: MetricPoint<'static>,
        properties: Properties<'static>,
    ) -> Envelope<'static> {
        let data = MetricData {
            ver: SCHEMA_VERSION,
            metrics: vec![point],
            properties,
        };
        Envelope {
            i_key: Cow::Owned(self.instrumentation_key().to_owned()),
            tags: self.own_tags(),
            ..Envelope::new(time, Data::Metric(data))
        }
    }

    /// Makes the envelope of one data point of the metric `name` from the meter `scope`, by the rules of
    /// [`map_metrics`](Self::map_metrics); `None` for a point that makes no envelope.
    #[must_use]
    pub fn map_point(&self, scope: &str, name: &str, point: Point) -> Option<Envelope<'static>> {
        let has_values = point.value.is_finite() && point.count > 0;
        if !has_values {
            return None;
        }
        let finite = |number: Option<f64>| number.filter(|number| number.is_finite());
        let namespaces = self.options().metric_namespaces.unwrap_or_default();
        let namespace = Some(scope).filter(|scope| namespaces && !scope.is_empty());
        let metric = MetricPoint {
            namespace: namespace.map(|scope| Cow::Owned(scope.to_owned())),
            name: Cow::Owned(name.to_owned()),
            kind: Some(MetricKind::Aggregation),
            value: point.value,
            count: i64::try_from(point.count).ok(),
            min: finite(point.min),
            max: finite(point.max),
            std_dev: finite(point.std_dev),
        };
        let arena = Arena::new();
        let properties = properties(&point.attributes, &arena);
        let mut envelope = self.metric(point.time, metric, properties);
        let attributes = Attributes::new(&point.attributes, &arena);
        if let Some(source) = context::synthetic_source(&attributes) {
            let source = Cow::Owned(source.to_owned());
            envelope
                .tags
                .insert(tags::OPERATION_SYNTHETIC_SOURCE, source);
        }
        Some(envelope)
    }
}

fn properties(attributes: &[KeyValue], arena: &Arena) -> Properties<'static> {
    let mut properties = Properties::with_capacity(attributes.len());
    for KeyValue { key, value, .. } in attributes {
        if !key.as_str().is_empty() {
            let value = text::of(value, arena).to_owned();
            properties.insert(key.as_str().to_owned(), Cow::Owned(value));
        }
    }
    properties
}
