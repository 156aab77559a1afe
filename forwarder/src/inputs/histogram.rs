//! Statistics derived from histogram buckets.

use opentelemetry_proto::tonic::metrics::v1::ExponentialHistogramDataPoint;

/// Approximates the minimum and maximum by the bounds of the outermost non-empty buckets.
///
/// An unbounded bucket is represented by its other bound; the lower bound of positive values is 0. The mean
/// always lies between the results.
pub(crate) fn ends(
    bounds: &[f64],
    counts: &[u64],
    sum: f64,
    count: u64,
) -> (Option<f64>, Option<f64>) {
    if count == 0 {
        return (None, None);
    }
    let mean = sum / count as f64;
    let first = counts.iter().position(|count| *count > 0);
    let last = counts.iter().rposition(|count| *count > 0);
    let lower = first.and_then(|first| match first.checked_sub(1) {
        Some(below) => bounds.get(below).copied(),
        None => bounds.first().map(|bound| bound.min(0.0)),
    });
    let upper = last.and_then(|last| bounds.get(last).or_else(|| bounds.last()).copied());
    (
        lower.map(|lower| lower.min(mean)),
        upper.map(|upper| upper.max(mean)),
    )
}

/// The buckets of an exponential histogram, as `(lower, upper, count)`. Bucket `i` contains values above
/// `base^i`, up to `base^(i + 1)`, where `base` is `2^(2^-scale)`.
pub(crate) fn exponential_buckets(point: &ExponentialHistogramDataPoint) -> Vec<(f64, f64, u64)> {
    let width = f64::from(-point.scale).exp2();
    let bound = |index: i64| (index as f64 * width).exp2();
    let mut buckets = Vec::new();
    if let Some(positive) = &point.positive {
        let indexes = i64::from(positive.offset)..;
        for (index, count) in indexes.zip(&positive.bucket_counts) {
            buckets.push((bound(index), bound(index + 1), *count));
        }
    }
    if let Some(negative) = &point.negative {
        let indexes = i64::from(negative.offset)..;
        for (index, count) in indexes.zip(&negative.bucket_counts) {
            buckets.push((-bound(index + 1), -bound(index), *count));
        }
    }
    buckets.push((
        -point.zero_threshold,
        point.zero_threshold,
        point.zero_count,
    ));
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_the_bounds_of_the_outermost_buckets_with_values() {
        let bounds = [0.0, 5.0, 10.0];
        for (counts, sum, ends_of) in [
            ([0, 2, 0, 0], 6.0, (Some(0.0), Some(5.0))),
            ([0, 1, 1, 0], 10.0, (Some(0.0), Some(10.0))),
            ([0, 0, 0, 1], 50.0, (Some(10.0), Some(50.0))),
            ([1, 0, 0, 0], -7.0, (Some(-7.0), Some(0.0))),
        ] {
            let count = counts.iter().sum();
            assert_eq!(ends(&bounds, &counts, sum, count), ends_of, "{counts:?}");
        }
        assert_eq!(ends(&bounds, &[0; 4], 0.0, 0), (None, None));
        assert_eq!(ends(&[], &[], 3.0, 1), (None, None));
        assert_eq!(ends(&[], &[1], 3.0, 1), (None, None));
    }
}
