//! The standard deviation of a histogram, exact or estimated.

/// The summary of all values.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spread {
    pub(super) count: u64,
    pub(super) sum: f64,
    pub(super) min: Option<f64>,
    pub(super) max: Option<f64>,
}

/// The number of values between two bounds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bucket {
    pub(super) lower: f64,
    pub(super) upper: f64,
    pub(super) count: u64,
}

impl Spread {
    /// For a histogram with explicit bounds. A single bucket gives no estimate.
    pub(super) fn of_explicit(&self, buckets: &[Bucket]) -> Option<f64> {
        let filled = buckets.iter().filter(|bucket| bucket.count > 0).count();
        let estimate = || (filled > 1).then(|| self.estimate(buckets)).flatten();
        self.exact().or_else(estimate)
    }

    /// For an exponential histogram, whose buckets are narrow.
    pub(super) fn of_exponential(&self, buckets: &[Bucket]) -> Option<f64> {
        self.exact().or_else(|| self.estimate(buckets))
    }

    /// Sum, minimum and maximum determine up to three values.
    fn exact(&self) -> Option<f64> {
        let (min, max) = (self.min?, self.max?);
        let deviation = |values: &[f64]| {
            let count = values.len() as f64;
            let mean = values.iter().sum::<f64>() / count;
            let squares = values.iter().map(|value| (value - mean).powi(2));
            (squares.sum::<f64>() / count).sqrt()
        };
        match self.count {
            0 => None,
            _ if min == max => Some(0.0),
            1 => Some(0.0),
            2 => Some(deviation(&[min, max])),
            3 => Some(deviation(&[min, self.sum - min - max, max])),
            _ => None,
        }
    }

    /// Assumes that the values of a bucket are evenly spread over the part of the bucket between minimum and maximum.
    ///
    /// The result is capped by the Bhatia–Davis inequality, the maximum for values between minimum and maximum.
    fn estimate(&self, buckets: &[Bucket]) -> Option<f64> {
        let (min, max) = (self.min?, self.max?);
        let count = buckets.iter().map(|bucket| bucket.count).sum::<u64>() as f64;
        let mean = self.sum / count;
        let squares = buckets
            .iter()
            .filter(|bucket| bucket.count > 0)
            .map(|bucket| {
                let (lower, upper) = (bucket.lower.max(min), bucket.upper.min(max));
                let (middle, width) = (f64::midpoint(lower, upper), upper - lower);
                bucket.count as f64 * ((middle - mean).powi(2) + width.powi(2) / 12.0)
            });
        let most = (max - mean) * (mean - min);
        Some((squares.sum::<f64>() / count).min(most).sqrt())
            .filter(|deviation| deviation.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(values: &[f64]) -> Spread {
        Spread {
            count: values.len() as u64,
            sum: values.iter().sum(),
            min: values.iter().copied().reduce(f64::min),
            max: values.iter().copied().reduce(f64::max),
        }
    }

    fn deviation(values: &[f64]) -> f64 {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        (values
            .iter()
            .map(|value| (value - mean).powi(2))
            .sum::<f64>()
            / count)
            .sqrt()
    }

    fn buckets(values: &[f64], bounds: &[f64]) -> Vec<Bucket> {
        let lower = std::iter::once(f64::NEG_INFINITY).chain(bounds.iter().copied());
        let upper = bounds.iter().copied().chain([f64::INFINITY]);
        let count = |lower: f64, upper: f64| {
            let inside = values
                .iter()
                .filter(|value| **value > lower && **value <= upper);
            inside.count() as u64
        };
        lower
            .zip(upper)
            .map(|(lower, upper)| Bucket {
                lower,
                upper,
                count: count(lower, upper),
            })
            .collect()
    }

    #[test]
    fn up_to_three_values_are_exact_with_any_buckets() {
        for values in [
            &[7.0][..],
            &[1.0, 2.0],
            &[0.1, 0.3, 0.5],
            &[-5.0, 0.0, 5.0],
            &[3.0; 9],
        ] {
            let found = spread(values).of_explicit(&[]).unwrap();
            assert!(
                (found - deviation(values)).abs() < 1e-12,
                "{values:?}: {found}"
            );
        }
    }

    #[test]
    fn more_values_are_estimated_from_several_buckets() {
        let values: Vec<f64> = (0..1_000).map(|number| f64::from(number) / 10.0).collect();
        let buckets = buckets(&values, &[5.0, 10.0, 25.0, 50.0, 75.0, 100.0]);
        let found = spread(&values).of_explicit(&buckets).unwrap();
        let truth = deviation(&values);
        assert!((found - truth).abs() < truth / 100.0, "{found} of {truth}");
    }

    #[test]
    fn one_bucket_tells_nothing() {
        let values = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(
            spread(&values).of_explicit(&buckets(&values, &[10.0])),
            None
        );
        assert_eq!(spread(&values).of_explicit(&buckets(&values, &[])), None);
    }

    #[test]
    fn an_estimate_is_never_more_than_the_ends_allow_and_never_absurd() {
        let values = [0.0, 10.0, 10.0, 10.0, 10.0];
        let found = spread(&values)
            .of_explicit(&buckets(&values, &[9.0]))
            .unwrap();
        assert!(found <= deviation(&values) + 1e-9, "{found}");
        let absurd = Spread {
            sum: f64::INFINITY,
            ..spread(&values)
        };
        assert_eq!(absurd.of_explicit(&buckets(&values, &[9.0])), None);
        let endless = Spread {
            min: None,
            ..spread(&values)
        };
        assert_eq!(endless.of_explicit(&buckets(&values, &[9.0])), None);
    }
}
