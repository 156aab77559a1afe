//! Metrics: every data point is an item.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, ExponentialHistogramDataPoint, HistogramDataPoint, MetricData as Points,
    ResourceMetrics,
};

use crate::envelope::{
    Data, Envelope, MetricData, MetricKind, MetricPoint, Properties, SCHEMA_VERSION, tags,
};
use crate::mapping::attributes::Attributes;
use crate::mapping::spread::{Bucket, Spread};
use crate::mapping::{Arena, Mapper, context, text};

impl Mapper {
    /// Makes an envelope for each data point of a collection.
    ///
    /// | Instrument | `value` | `count` | `min`, `max`, `stdDev` |
    /// |---|---|---|---|
    /// | counters, gauges | the value | 1 | |
    /// | histograms of both kinds | the sum | how many values | as the data have them |
    ///
    /// The standard deviation of a histogram is exact for up to three values, and else estimated from
    /// its buckets, whose values are taken as evenly spread; it is left out where all values of an
    /// explicit histogram are in one bucket. A point whose value is not finite, or that holds no values,
    /// makes no envelope. Resource attributes are not looked at: they are the mapper's. The envelopes own
    /// their texts, since the SDK uses the collection's memory again.
    pub fn map_metrics(&self, metrics: &ResourceMetrics, mut emit: impl FnMut(Envelope<'static>)) {
        for scope in metrics.scope_metrics() {
            for metric in scope.metrics() {
                let mut emit_point = |point: Point| {
                    let envelope = self.point(scope.scope().name(), metric.name(), point);
                    envelope.into_iter().for_each(&mut emit);
                };
                match metric.data() {
                    AggregatedMetrics::F64(points) => of_points(points, &mut emit_point),
                    AggregatedMetrics::U64(points) => of_points(points, &mut emit_point),
                    AggregatedMetrics::I64(points) => of_points(points, &mut emit_point),
                }
            }
        }
    }

    /// Makes the envelope of a metric that is not an instrument's.
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

    fn point(&self, scope: &str, name: &str, point: Point) -> Option<Envelope<'static>> {
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

/// What data points of every kind come to.
struct Point {
    time: SystemTime,
    attributes: Vec<KeyValue>,
    value: f64,
    count: u64,
    min: Option<f64>,
    max: Option<f64>,
    std_dev: Option<f64>,
}

impl Point {
    fn single<'a>(
        time: SystemTime,
        attributes: impl Iterator<Item = &'a KeyValue>,
        value: f64,
    ) -> Self {
        Self {
            time,
            attributes: attributes.cloned().collect(),
            value,
            count: 1,
            min: None,
            max: None,
            std_dev: None,
        }
    }

    fn spread<'a>(
        time: SystemTime,
        attributes: impl Iterator<Item = &'a KeyValue>,
        spread: &Spread,
        std_dev: Option<f64>,
    ) -> Self {
        Self {
            count: spread.count,
            min: spread.min,
            max: spread.max,
            std_dev,
            ..Self::single(time, attributes, spread.sum)
        }
    }
}

fn of_points<T: Number>(points: &Points<T>, emit: &mut impl FnMut(Point)) {
    match points {
        Points::Gauge(gauge) => gauge.data_points().for_each(|point| {
            emit(Point::single(
                gauge.time(),
                point.attributes(),
                point.value().to_f64(),
            ));
        }),
        Points::Sum(sum) => sum.data_points().for_each(|point| {
            emit(Point::single(
                sum.time(),
                point.attributes(),
                point.value().to_f64(),
            ));
        }),
        Points::Histogram(histogram) => histogram.data_points().for_each(|point| {
            let spread = Spread {
                count: point.count(),
                sum: point.sum().to_f64(),
                min: point.min().map(Number::to_f64),
                max: point.max().map(Number::to_f64),
            };
            let std_dev = spread.of_explicit(&explicit_buckets(point));
            emit(Point::spread(
                histogram.time(),
                point.attributes(),
                &spread,
                std_dev,
            ));
        }),
        Points::ExponentialHistogram(histogram) => histogram.data_points().for_each(|point| {
            let spread = Spread {
                count: point.count() as u64,
                sum: point.sum().to_f64(),
                min: point.min().map(Number::to_f64),
                max: point.max().map(Number::to_f64),
            };
            let std_dev = spread.of_exponential(&exponential_buckets(point));
            emit(Point::spread(
                histogram.time(),
                point.attributes(),
                &spread,
                std_dev,
            ));
        }),
    }
}

fn explicit_buckets<T>(point: &HistogramDataPoint<T>) -> Vec<Bucket> {
    let lower = std::iter::once(f64::NEG_INFINITY).chain(point.bounds());
    let upper = point.bounds().chain(std::iter::once(f64::INFINITY));
    let bounds = lower.zip(upper);
    bounds
        .zip(point.bucket_counts())
        .map(|((lower, upper), count)| Bucket {
            lower,
            upper,
            count,
        })
        .collect()
}

/// Bucket `i` of a scale holds what is above `base^i`, up to `base^(i + 1)`, where `base` is
/// `2^(2^-scale)`, as OpenTelemetry's data model says.
fn exponential_buckets<T>(point: &ExponentialHistogramDataPoint<T>) -> Vec<Bucket> {
    let width = f64::from(-i32::from(point.scale())).exp2();
    let bound = |index: i32| (f64::from(index) * width).exp2();
    let of = |bucket: &opentelemetry_sdk::metrics::data::ExponentialBucket| {
        let indexes = bucket.offset()..;
        let buckets = indexes.zip(bucket.counts());
        let buckets = buckets.map(|(index, count)| (bound(index), bound(index + 1), count));
        buckets.collect::<Vec<_>>()
    };
    let zero = Bucket {
        lower: -point.zero_threshold(),
        upper: point.zero_threshold(),
        count: point.zero_count(),
    };
    let positive = of(point.positive_bucket()).into_iter();
    let negative = of(point.negative_bucket()).into_iter();
    positive
        .map(|(lower, upper, count)| Bucket {
            lower,
            upper,
            count,
        })
        .chain(negative.map(|(lower, upper, count)| Bucket {
            lower: -upper,
            upper: -lower,
            count,
        }))
        .chain([zero])
        .collect()
}

/// What instruments measure in. Integers above 2^53 lose their last digits, as in JSON.
trait Number: Copy {
    fn to_f64(self) -> f64;
}

impl Number for f64 {
    fn to_f64(self) -> f64 {
        self
    }
}

impl Number for u64 {
    fn to_f64(self) -> f64 {
        self as f64
    }
}

impl Number for i64 {
    fn to_f64(self) -> f64 {
        self as f64
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::metrics::{Meter, MeterProvider};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::metrics::{
        Aggregation, InMemoryMetricExporterBuilder, Instrument, PeriodicReader, SdkMeterProvider,
        Stream, Temporality,
    };

    use super::*;
    use crate::mapping::MappingOptions;

    /// What is made of what `record` records. Histograms whose name starts with `e` are exponential.
    fn mapped(options: MappingOptions, record: impl FnOnce(&Meter)) -> Vec<Envelope<'static>> {
        let memory = InMemoryMetricExporterBuilder::new()
            .with_temporality(Temporality::Delta)
            .build();
        let exponential = Aggregation::Base2ExponentialHistogram {
            max_size: 160,
            max_scale: 20,
            record_min_max: true,
        };
        let view = move |instrument: &Instrument| {
            let stream = Stream::builder().with_aggregation(exponential.clone());
            let is_exponential = instrument.name().starts_with('e');
            is_exponential.then(|| stream.build().unwrap())
        };
        let provider = SdkMeterProvider::builder()
            .with_reader(PeriodicReader::builder(memory.clone()).build())
            .with_view(view)
            .build();
        record(&provider.meter("shop.meter"));
        provider.force_flush().unwrap();
        let mapper = Mapper::new("key", &Resource::builder_empty().build(), options);
        let mut envelopes = Vec::new();
        for metrics in memory.get_finished_metrics().unwrap() {
            mapper.map_metrics(&metrics, |envelope| envelopes.push(envelope));
        }
        envelopes
    }

    fn points(record: impl FnOnce(&Meter)) -> Vec<MetricPoint<'static>> {
        let envelopes = mapped(MappingOptions::default(), record);
        envelopes
            .into_iter()
            .map(|envelope| match envelope.data {
                Data::Metric(mut data) => data.metrics.remove(0),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    fn values(record: impl FnOnce(&Meter)) -> Vec<(String, f64)> {
        let points = points(record).into_iter();
        let mut values: Vec<_> = points
            .map(|point| (point.name.into_owned(), point.value))
            .collect();
        values.sort_by(|(a, _), (b, _)| a.cmp(b));
        values
    }

    #[test]
    fn every_instrument_becomes_a_metric() {
        let found = values(|meter| {
            meter.u64_counter("counter_u64").build().add(3, &[]);
            meter.f64_counter("counter_f64").build().add(7.25, &[]);
            meter.i64_up_down_counter("updown_i64").build().add(-3, &[]);
            meter
                .f64_up_down_counter("updown_f64")
                .build()
                .add(-0.5, &[]);
            meter.u64_gauge("gauge_u64").build().record(9, &[]);
            meter.i64_gauge("gauge_i64").build().record(-9, &[]);
            meter.f64_gauge("gauge_f64").build().record(0.25, &[]);
            meter.u64_histogram("histogram_u64").build().record(4, &[]);
            meter
                .f64_histogram("histogram_f64")
                .build()
                .record(4.5, &[]);
            meter.f64_histogram("exponential").build().record(5.5, &[]);
            let observe = |meter: &Meter| {
                meter
                    .u64_observable_counter("observed_counter")
                    .with_callback(|observer| observer.observe(1, &[]))
                    .build();
                meter
                    .i64_observable_up_down_counter("observed_updown")
                    .with_callback(|observer| observer.observe(-2, &[]))
                    .build();
                meter
                    .f64_observable_gauge("observed_gauge")
                    .with_callback(|observer| observer.observe(3.5, &[]))
                    .build();
            };
            observe(meter);
        });
        let found: Vec<_> = found
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        assert_eq!(
            found,
            [
                ("counter_f64", 7.25),
                ("counter_u64", 3.0),
                ("exponential", 5.5),
                ("gauge_f64", 0.25),
                ("gauge_i64", -9.0),
                ("gauge_u64", 9.0),
                ("histogram_f64", 4.5),
                ("histogram_u64", 4.0),
                ("observed_counter", 1.0),
                ("observed_gauge", 3.5),
                ("observed_updown", -2.0),
                ("updown_f64", -0.5),
                ("updown_i64", -3.0),
            ]
        );
    }

    #[test]
    fn both_kinds_of_histogram_tell_count_ends_and_deviation() {
        let recorded = [-4.0, -2.0, 0.0, 1.0, 2.0, 3.0, 60.0, 100.0];
        let found = points(|meter| {
            for name in ["explicit", "an_explicit"] {
                let histogram = meter.f64_histogram(name).build();
                recorded
                    .iter()
                    .for_each(|value| histogram.record(*value, &[]));
            }
        });
        let truth = 36.114;
        for point in found {
            assert_eq!(
                (point.value, point.count),
                (160.0, Some(8)),
                "{}",
                point.name
            );
            assert_eq!((point.min, point.max), (Some(-4.0), Some(100.0)));
            let deviation = point.std_dev.unwrap();
            // The name that starts with `e` is that of the exponential one.
            let tolerance = if point.name == "explicit" { 0.01 } else { 0.2 };
            assert!(
                (deviation / truth - 1.0).abs() < tolerance,
                "{}: {deviation}",
                point.name
            );
        }
    }

    #[test]
    fn what_is_no_number_is_never_sent() {
        let found = points(|meter| {
            let gauge = meter.f64_gauge("gauge").build();
            gauge.record(f64::NAN, &[KeyValue::new("is", "nan")]);
            gauge.record(f64::INFINITY, &[KeyValue::new("is", "infinite")]);
            let counter = meter.f64_counter("counter").build();
            counter.add(f64::MAX, &[]);
            counter.add(f64::MAX, &[]);
            meter
                .f64_histogram("histogram")
                .build()
                .record(f64::NAN, &[]);
        });
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn attributes_become_custom_dimensions_and_a_robot_a_tag() {
        let envelopes = mapped(MappingOptions::default(), |meter| {
            let attributes = [
                KeyValue::new("flag", true),
                KeyValue::new("user_agent.synthetic.type", "bot"),
            ];
            meter.u64_counter("orders").build().add(1, &attributes);
        });
        let envelope = &envelopes[0];
        assert_eq!(envelope.i_key, "key");
        assert_eq!(envelope.data.properties().get("flag").unwrap(), "true");
        assert_eq!(
            envelope.tags.get(tags::OPERATION_SYNTHETIC_SOURCE).unwrap(),
            "True"
        );
        assert!(envelope.tags.get(tags::CLOUD_ROLE).is_some());
    }

    #[test]
    fn a_namespace_is_there_only_on_request() {
        let namespace = |options| {
            let envelopes = mapped(options, |meter| {
                meter.u64_counter("orders").build().add(1, &[])
            });
            match &envelopes[0].data {
                Data::Metric(data) => data.metrics[0].namespace.clone(),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(namespace(MappingOptions::default()), None);
        let options = MappingOptions::default().metric_namespaces(true);
        assert_eq!(namespace(options).unwrap(), "shop.meter");
        let options = MappingOptions::default().or_metric_namespaces(Some(true));
        assert_eq!(namespace(options).unwrap(), "shop.meter");
    }
}
