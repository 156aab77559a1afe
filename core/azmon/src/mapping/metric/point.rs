use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{
    ExponentialHistogramDataPoint, HistogramDataPoint, MetricData as Points,
};

use crate::mapping::metric::spread::{Bucket, Spread};

/// A data point of any instrument: one value, or the sum of many.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    pub(super) time: SystemTime,
    pub(super) attributes: Vec<KeyValue>,
    pub(super) value: f64,
    pub(super) count: u64,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
    pub(super) std_dev: Option<f64>,
}

/// The summary of a histogram's values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// The number of values.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The minimum, if known.
    pub min: Option<f64>,
    /// The maximum, if known.
    pub max: Option<f64>,
}

impl Point {
    /// Makes a point of one value, from a counter or a gauge.
    #[must_use]
    pub fn of_value(time: SystemTime, attributes: Vec<KeyValue>, value: f64) -> Self {
        Self {
            time,
            attributes,
            value,
            count: 1,
            min: None,
            max: None,
            std_dev: None,
        }
    }

    /// Makes a point of many values, of which only the summary is known.
    #[must_use]
    pub fn of_summary(time: SystemTime, attributes: Vec<KeyValue>, summary: Summary) -> Self {
        Self {
            count: summary.count,
            min: summary.min,
            max: summary.max,
            std_dev: Spread::from(summary).of_explicit(&[]),
            ..Self::of_value(time, attributes, summary.sum)
        }
    }

    /// Makes a point of a histogram with explicit bounds: bucket `i` holds the values above bound `i - 1` and up to
    /// bound `i`; the last one holds the values above the last bound.
    #[must_use]
    pub fn of_histogram(
        time: SystemTime,
        attributes: Vec<KeyValue>,
        summary: Summary,
        bounds: &[f64],
        counts: &[u64],
    ) -> Self {
        let buckets = buckets(bounds, counts.iter().copied());
        Self {
            std_dev: Spread::from(summary).of_explicit(&buckets),
            ..Self::of_summary(time, attributes, summary)
        }
    }

    /// Makes a point of an exponential histogram: each of `buckets`, `(lower, upper, count)`, holds `count` values
    /// above `lower` and up to `upper`.
    #[must_use]
    pub fn of_exponential_histogram(
        time: SystemTime,
        attributes: Vec<KeyValue>,
        summary: Summary,
        buckets: &[(f64, f64, u64)],
    ) -> Self {
        let buckets = buckets.iter().map(|&(lower, upper, count)| Bucket {
            lower,
            upper,
            count,
        });
        let buckets: Vec<_> = buckets.collect();
        Self {
            std_dev: Spread::from(summary).of_exponential(&buckets),
            ..Self::of_summary(time, attributes, summary)
        }
    }

    /// Emits the points of a metric of any kind.
    pub(super) fn each<T: Number>(points: &Points<T>, emit: &mut impl FnMut(Self)) {
        match points {
            Points::Gauge(gauge) => gauge.data_points().for_each(|point| {
                emit(Self::single(
                    gauge.time(),
                    point.attributes(),
                    point.value().to_f64(),
                ));
            }),
            Points::Sum(sum) => sum.data_points().for_each(|point| {
                emit(Self::single(
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
                emit(Self::spread(
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
                emit(Self::spread(
                    histogram.time(),
                    point.attributes(),
                    &spread,
                    std_dev,
                ));
            }),
        }
    }

    fn single<'a>(
        time: SystemTime,
        attributes: impl Iterator<Item = &'a KeyValue>,
        value: f64,
    ) -> Self {
        Self::of_value(time, attributes.cloned().collect(), value)
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

impl From<Summary> for Spread {
    fn from(summary: Summary) -> Self {
        let Summary {
            count,
            sum,
            min,
            max,
        } = summary;
        Self {
            count,
            sum,
            min,
            max,
        }
    }
}

fn explicit_buckets<T>(point: &HistogramDataPoint<T>) -> Vec<Bucket> {
    let bounds: Vec<_> = point.bounds().collect();
    buckets(&bounds, point.bucket_counts())
}

fn buckets(bounds: &[f64], counts: impl Iterator<Item = u64>) -> Vec<Bucket> {
    let bounds = bounds.iter().copied();
    let lower = std::iter::once(f64::NEG_INFINITY).chain(bounds.clone());
    let upper = bounds.chain(std::iter::once(f64::INFINITY));
    let bounds = lower.zip(upper);
    bounds
        .zip(counts)
        .map(|((lower, upper), count)| Bucket {
            lower,
            upper,
            count,
        })
        .collect()
}

/// Bucket `i` of a scale holds the values above `base^i` and up to `base^(i + 1)`, where `base` is `2^(2^-scale)`, as
/// in OpenTelemetry's data model.
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

/// The number types of instruments. Integers above 2^53 lose their last digits, as in JSON.
pub(super) trait Number: Copy {
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
