//! Converts cumulative totals to the increments that Azure Monitor sums.
//!
//! A series is one set of attributes of one metric of one resource. The first total of a series is an increment
//! - if the sender states a start time that is later than this program's start, or if the metric was seen before
//!   with the same start time and other attributes, which makes the series a new one;
//! - otherwise the first total is only a baseline: the sender ran before this program started, and earlier
//!   exports may have counted it.
//!
//! A later total with another start time, or a smaller total, means that the sender has restarted.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// The maximum number of series.
const MOST_SERIES: usize = 200_000;
/// A sender repeats every total at every interval, so a series without points for this long has ended.
const SILENCE: Duration = Duration::from_secs(60 * 60);

/// Tracks the totals of series.
#[derive(Debug)]
pub(crate) struct Deltas {
    hashers: [RandomState; 2],
    /// Totals that start later than this count completely.
    since: SystemTime,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    series: HashMap<u128, Series>,
    families: HashMap<u128, Family>,
    swept: Option<Instant>,
}

#[derive(Debug)]
struct Series {
    start: Option<SystemTime>,
    time: SystemTime,
    total: Totals,
    seen: Instant,
}

#[derive(Debug)]
struct Family {
    start: Option<SystemTime>,
    /// The time of the family's first point.
    first: SystemTime,
    seen: Instant,
}

/// The additive numbers of one point.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Totals {
    pub(crate) sum: f64,
    pub(crate) count: u64,
    pub(crate) buckets: Vec<u64>,
    /// Whether the sum can decrease without a restart, as a sum of negative values can.
    pub(crate) sum_can_shrink: bool,
}

/// The result for one point.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Delta {
    /// The increment.
    Added(Totals),
    /// The point is only a baseline for later points, or is older than a previous point.
    Baseline,
    /// The maximum number of series is reached.
    Refused,
}

/// The identity of a series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriesKey {
    family: u128,
    series: u128,
}

impl Deltas {
    pub(crate) fn new(since: SystemTime) -> Self {
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            since,
            state: Mutex::default(),
        }
    }

    /// The key of a series. `family` identifies the resource and the metric; `attributes` identify the series in
    /// it, in any order.
    pub(crate) fn key<'a>(
        &self,
        family: impl Hash,
        attributes: impl Iterator<Item = (&'a str, String)>,
    ) -> SeriesKey {
        let mut attributes: Vec<_> = attributes.collect();
        attributes.sort_unstable();
        SeriesKey {
            family: self.hash(&family),
            series: self.hash(&(&family, attributes)),
        }
    }

    fn hash(&self, value: &impl Hash) -> u128 {
        let [high, low] = self.hashers.each_ref().map(|state| state.hash_one(value));
        (u128::from(high) << 64) | u128::from(low)
    }

    /// The increment of a series. `start` is `None` if the sender does not state it.
    pub(crate) fn delta(
        &self,
        key: SeriesKey,
        start: Option<SystemTime>,
        time: SystemTime,
        total: Totals,
        now: Instant,
    ) -> Delta {
        let mut state = self.lock();
        state.sweep(now);
        if let Some(known) = state.series.get_mut(&key.series) {
            return known.advance(start, time, total, now);
        }
        if state.series.len() >= MOST_SERIES {
            return Delta::Refused;
        }
        let family = state.families.entry(key.family).or_insert(Family {
            start,
            first: time,
            seen: now,
        });
        family.seen = now;
        let is_later = start.is_some_and(|start| start >= self.since);
        let joins = family.start == start && family.first < time;
        let added = if is_later || joins {
            Delta::Added(total.clone())
        } else {
            Delta::Baseline
        };
        let series = Series {
            start,
            time,
            total,
            seen: now,
        };
        state.series.insert(key.series, series);
        added
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn sweep(&mut self, now: Instant) {
        let swept = *self.swept.get_or_insert(now);
        if now.duration_since(swept) < SILENCE {
            return;
        }
        self.swept = Some(now);
        let is_alive = |seen: Instant| now.duration_since(seen) < SILENCE;
        self.series.retain(|_, series| is_alive(series.seen));
        self.families.retain(|_, family| is_alive(family.seen));
    }
}

impl Series {
    fn advance(
        &mut self,
        start: Option<SystemTime>,
        time: SystemTime,
        total: Totals,
        now: Instant,
    ) -> Delta {
        self.seen = now;
        let restarted = self.start != start || total.is_less_than(&self.total);
        if !restarted && time < self.time {
            return Delta::Baseline;
        }
        let added = if restarted {
            total.clone()
        } else {
            total.minus(&self.total)
        };
        (self.start, self.time, self.total) = (start, time, total);
        Delta::Added(added)
    }
}

impl Totals {
    pub(crate) fn of_value(value: f64) -> Self {
        Self {
            sum: value,
            ..Self::default()
        }
    }

    fn is_less_than(&self, earlier: &Self) -> bool {
        let buckets = self.buckets.iter().zip(&earlier.buckets);
        let sum_shrank = self.sum < earlier.sum && !self.sum_can_shrink;
        sum_shrank
            || self.count < earlier.count
            || self.buckets.len() != earlier.buckets.len()
            || buckets.into_iter().any(|(now, before)| now < before)
    }

    fn minus(&self, earlier: &Self) -> Self {
        let buckets = self.buckets.iter().zip(&earlier.buckets);
        Self {
            sum: self.sum - earlier.sum,
            count: self.count.saturating_sub(earlier.count),
            buckets: buckets
                .map(|(now, before)| now.saturating_sub(*before))
                .collect(),
            sum_can_shrink: self.sum_can_shrink,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The increments for the totals of one series, given as (start, time, value).
    fn added(points: &[(u64, u64, f64)]) -> Vec<Option<f64>> {
        let deltas = Deltas::new(at(100));
        let now = Instant::now();
        let key = deltas.key("metric", [("a", "1".to_owned())].into_iter());
        let one = |&(start, time, value): &(u64, u64, f64)| {
            let total = Totals::of_value(value);
            match deltas.delta(key, Some(at(start)), at(time), total, now) {
                Delta::Added(added) => Some(added.sum),
                Delta::Baseline | Delta::Refused => None,
            }
        };
        points.iter().map(one).collect()
    }

    #[test]
    fn a_sender_that_starts_later_is_counted_from_its_start() {
        let points = [(110, 120, 5.0), (110, 130, 7.0), (110, 140, 7.0)];
        assert_eq!(added(&points), [Some(5.0), Some(2.0), Some(0.0)]);
    }

    #[test]
    fn the_first_total_of_an_earlier_sender_is_only_compared_with() {
        let points = [(50, 120, 1_000.0), (50, 130, 1_007.0)];
        assert_eq!(added(&points), [None, Some(7.0)]);
    }

    #[test]
    fn a_restart_counts_whole_whether_it_says_so_or_not() {
        let points = [
            (110, 120, 5.0),
            (125, 130, 3.0),
            (125, 140, 4.0),
            (125, 150, 1.0),
        ];
        assert_eq!(added(&points), [Some(5.0), Some(3.0), Some(1.0), Some(1.0)]);
    }

    #[test]
    fn points_out_of_order_add_nothing() {
        let points = [(110, 130, 5.0), (110, 120, 5.0), (110, 140, 6.0)];
        assert_eq!(added(&points), [Some(5.0), None, Some(1.0)]);
    }

    #[test]
    fn a_series_that_joins_a_known_metric_is_counted_whole() {
        let deltas = Deltas::new(at(100));
        let now = Instant::now();
        let delta = |attribute: &str, time: u64, value: f64| {
            let key = deltas.key("metric", [("a", attribute.to_owned())].into_iter());
            deltas.delta(key, Some(at(50)), at(time), Totals::of_value(value), now)
        };
        assert_eq!(delta("old", 120, 9.0), Delta::Baseline);
        assert_eq!(delta("as old", 120, 9.0), Delta::Baseline);
        assert_eq!(delta("new", 130, 2.0), Delta::Added(Totals::of_value(2.0)));
    }

    #[test]
    fn the_order_of_attributes_makes_no_other_series() {
        let deltas = Deltas::new(at(0));
        let pairs = [("a", "1".to_owned()), ("b", "2".to_owned())];
        let key = deltas.key("m", pairs.clone().into_iter());
        let other = deltas.key("m", pairs.into_iter().rev());
        assert_eq!((key.family, key.series), (other.family, other.series));
    }

    #[test]
    fn buckets_and_counts_are_subtracted() {
        let totals = |sum, count, buckets: &[u64]| Totals {
            sum,
            count,
            buckets: buckets.to_vec(),
            sum_can_shrink: true,
        };
        let earlier = totals(10.0, 3, &[1, 2]);
        let later = totals(9.0, 5, &[1, 4]);
        assert!(!later.is_less_than(&earlier));
        assert_eq!(later.minus(&earlier), totals(-1.0, 2, &[0, 2]));
        assert!(totals(11.0, 5, &[0, 5]).is_less_than(&earlier));
    }
}
