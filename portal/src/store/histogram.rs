//! Histograms of durations with logarithmic buckets, forty per decade: a percentile is accurate to 3 %.

/// Buckets per decade. Charts combine four of them.
const PER_DECADE: f64 = 40.0;
/// Longer durations than 10^15 microseconds count in the last bucket.
const LAST: u16 = 15 * 40;
/// Buckets per bar of a chart: ten bars per decade.
const PER_BIN: u16 = 4;
/// The bars below one millisecond: three decades.
const BINS_BELOW_MILLISECOND: i32 = 30;

/// A sparse histogram of durations: the durations of an operation are close to each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Histogram {
    buckets: Vec<(u16, u64)>,
}

impl Histogram {
    pub(crate) fn add(&mut self, microseconds: i64, weight: u64) {
        self.add_bucket(bucket_of(microseconds), weight);
    }

    fn add_bucket(&mut self, bucket: u16, weight: u64) {
        match self
            .buckets
            .binary_search_by_key(&bucket, |(bucket, _)| *bucket)
        {
            Ok(index) => {
                if let Some((_, count)) = self.buckets.get_mut(index) {
                    *count = count.saturating_add(weight);
                }
            }
            Err(index) => self.buckets.insert(index, (bucket, weight)),
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            return;
        }
        for (bucket, count) in &other.buckets {
            self.add_bucket(*bucket, *count);
        }
    }

    pub(crate) fn count(&self) -> u64 {
        sum(self.buckets.iter())
    }

    /// The duration in microseconds that `share` of all calls do not exceed; `None` without calls.
    pub(crate) fn percentile(&self, share: f64) -> Option<f64> {
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = share * count as f64;
        let mut below = 0.0;
        for (bucket, weight) in &self.buckets {
            let weight = *weight as f64;
            if below + weight >= rank {
                let within = ((rank - below) / weight).clamp(0.0, 1.0);
                return Some(duration_of(f64::from(*bucket) + within));
            }
            below += weight;
        }
        self.buckets
            .last()
            .map(|(bucket, _)| duration_of(f64::from(*bucket) + 1.0))
    }

    /// The share of calls, from 0 to 1, that took less than this time.
    pub(crate) fn share_below(&self, microseconds: i64) -> f64 {
        let limit = bucket_of(microseconds);
        let below = sum(self.buckets.iter().filter(|(bucket, _)| *bucket < limit));
        let same = sum(self.buckets.iter().filter(|(bucket, _)| *bucket == limit));
        match self.count() {
            0 => 0.0,
            count => ((below as f64 + same as f64 / 2.0) / count as f64).min(1.0),
        }
    }

    /// The counts by bar of a chart: the number of the bar (0 starts at 1 ms, ten per decade) and its calls.
    pub(crate) fn bins(&self) -> Vec<(i32, u64)> {
        let mut bins: Vec<(i32, u64)> = Vec::new();
        for (bucket, count) in &self.buckets {
            let bin = i32::from(bucket / PER_BIN) - BINS_BELOW_MILLISECOND;
            match bins.last_mut() {
                Some((last, sum)) if *last == bin => *sum = sum.saturating_add(*count),
                _ => bins.push((bin, *count)),
            }
        }
        bins
    }

    /// Encodes pairs of variable-length integers: the distance to the previous bucket, and the count.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.buckets.len() * 3);
        let mut before = 0;
        for (bucket, count) in &self.buckets {
            put(&mut bytes, u64::from(bucket - before));
            put(&mut bytes, *count);
            before = *bucket;
        }
        bytes
    }

    /// Adds an [encoded](Self::encode) histogram. From invalid bytes, it adds the readable part.
    pub(crate) fn merge_encoded(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        let mut bucket = 0_u16;
        while let (Some(distance), Some(count)) = (take(&mut rest), take(&mut rest)) {
            bucket = bucket
                .saturating_add(u16::try_from(distance).unwrap_or(LAST))
                .min(LAST);
            self.add_bucket(bucket, count);
        }
    }
}

/// The number of calls in buckets. Damaged bytes may hold more than there can be.
fn sum<'a>(buckets: impl Iterator<Item = &'a (u16, u64)>) -> u64 {
    buckets.fold(0, |sum, (_, count)| sum.saturating_add(*count))
}

/// The lower bound of a bar, in milliseconds.
pub(crate) fn bin_start(bin: i32) -> f64 {
    10_f64.powf(f64::from(bin) / 10.0)
}

fn bucket_of(microseconds: i64) -> u16 {
    if microseconds <= 1 {
        return 0;
    }
    let bucket = (microseconds as f64).log10() * PER_DECADE;
    (bucket as u16).min(LAST)
}

fn duration_of(bucket: f64) -> f64 {
    10_f64.powf(bucket / PER_DECADE)
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_are_right_to_a_few_percent() {
        let mut histogram = Histogram::default();
        for milliseconds in 1..=1_000 {
            histogram.add(milliseconds * 1_000, 1);
        }
        for (share, expected) in [(0.5, 500_000.0), (0.95, 950_000.0), (0.99, 990_000.0)] {
            let found = histogram.percentile(share).unwrap();
            assert!((found / expected - 1.0).abs() < 0.06, "{share}: {found}");
        }
        assert_eq!(Histogram::default().percentile(0.5), None);
    }

    #[test]
    fn a_weight_counts_as_so_many_calls() {
        let mut histogram = Histogram::default();
        histogram.add(1_000, 9);
        histogram.add(1_000_000, 1);
        assert_eq!(histogram.count(), 10);
        assert!(histogram.percentile(0.85).unwrap() < 2_000.0);
    }

    #[test]
    fn bars_are_ten_to_a_decade_from_one_millisecond() {
        let mut histogram = Histogram::default();
        for microseconds in [1_001, 10_001, 100_001, 101] {
            histogram.add(microseconds, 1);
        }
        let bins: Vec<_> = histogram.bins().into_iter().map(|(bin, _)| bin).collect();
        assert_eq!(bins, [-10, 0, 10, 20]);
        assert!((bin_start(10) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn counts_beyond_all_numbers_stay_at_the_largest() {
        let mut histogram = Histogram::default();
        for microseconds in [1_000, 1_100, 1_000_000] {
            histogram.add(microseconds, u64::MAX);
        }
        assert_eq!(histogram.count(), u64::MAX);
        assert!(histogram.percentile(0.95).is_some());
        assert_eq!(histogram.share_below(1_000_000), 1.0);
        assert!(histogram.bins().iter().all(|(_, count)| *count == u64::MAX));
        let mut read = Histogram::default();
        read.merge_encoded(&histogram.encode());
        assert_eq!(read, histogram);
    }

    proptest! {
        #[test]
        fn written_histograms_are_read(values in proptest::collection::vec((any::<i64>(), 1_u64..1_000), 0..50)) {
            let mut histogram = Histogram::default();
            for (value, weight) in values {
                histogram.add(value, weight);
            }
            let mut read = Histogram::default();
            read.merge_encoded(&histogram.encode());
            prop_assert_eq!(read, histogram);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut histogram = Histogram::default();
            histogram.merge_encoded(&bytes);
            let _ = (histogram.percentile(0.95), histogram.share_below(1_000), histogram.bins());
        }
    }
}
