use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry_sdk::metrics::data::{
    ExponentialHistogramDataPoint, HistogramDataPoint, MetricData as Points,
};

use crate::mapping::metric::spread::{Bucket, Spread};

/// A data point of a metric, whatever its instrument: one value, or the sum of many.
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

/// What a histogram says of its values together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Summary {
    /// How many values there are.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The least of them, if known.
    pub min: Option<f64>,
    /// The greatest of them, if known.
    pub max: Option<f64>,
}

impl Point {
    /// One value: that of a counter or a gauge.
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

    /// Many values, of which nothing more is known.
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

    /// A histogram with bounds that its instrument chose: bucket `i` holds what is above bound `i - 1`, up
    /// to bound `i`, and the last one all that is above the last bound.
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

    /// A histogram with bounds that are powers: each of `buckets` holds `count` values above `lower`, up to
    /// `upper`, as `(lower, upper, count)`.
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

    /// Those of a metric of any kind.
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
