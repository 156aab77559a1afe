use std::borrow::Cow;

use crate::envelope::{MetricKind, MetricPoint};

/// The aggregate of many values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Aggregate {
    count: u64,
    sum: f64,
    sum_of_squares: f64,
    min: f64,
    max: f64,
}

impl Aggregate {
    pub(super) fn of(value: f64) -> Self {
        Self {
            count: 1,
            sum: value,
            sum_of_squares: value * value,
            min: value,
            max: value,
        }
    }

    pub(super) fn merged(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            sum_of_squares: self.sum_of_squares + other.sum_of_squares,
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }

    pub(super) fn into_point(self, name: &'static str) -> MetricPoint<'static> {
        MetricPoint {
            namespace: None,
            name: Cow::Borrowed(name),
            kind: Some(MetricKind::Aggregation),
            value: self.sum,
            count: i64::try_from(self.count).ok(),
            min: Some(self.min),
            max: Some(self.max),
            std_dev: Some(self.standard_deviation()),
        }
    }

    /// The population standard deviation. Rounding must not make the variance negative.
    fn standard_deviation(&self) -> f64 {
        let count = self.count as f64;
        let mean = self.sum / count;
        (self.sum_of_squares / count - mean * mean).max(0.0).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_same_as_the_whole() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        let whole = values
            .map(Aggregate::of)
            .into_iter()
            .reduce(Aggregate::merged);
        let point = whole.unwrap().into_point("x");
        assert_eq!((point.value, point.count), (40.0, Some(8)));
        assert_eq!(
            (point.min, point.max, point.std_dev),
            (Some(2.0), Some(9.0), Some(2.0))
        );
    }

    #[test]
    fn equal_values_do_not_deviate() {
        let values = [0.1_f64; 7].map(Aggregate::of);
        let point = values
            .into_iter()
            .reduce(Aggregate::merged)
            .unwrap()
            .into_point("x");
        assert!(point.std_dev.unwrap() < 1e-8, "{point:?}");
    }
}
