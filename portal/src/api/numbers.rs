//! The numbers in responses: statistics of calls, series for charts, distributions.

use serde::Serialize;

use crate::api::ask::{Ask, Steps};
use crate::api::time::Time;
use crate::store::histogram::{Histogram, bin_start};
use crate::store::{Cell, Range, Series as StoredSeries};

/// Counts and durations, summed over cells.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) count: i64,
    pub(super) failed: i64,
    /// Microseconds.
    pub(super) sum: f64,
    max: f64,
    pub(super) histogram: Histogram,
    pub(super) failed_histogram: Histogram,
}

impl Tally {
    pub(super) fn add(&mut self, series: &StoredSeries, cell: &Cell) {
        self.count += cell.count;
        self.sum += cell.sum;
        self.max = self.max.max(cell.max);
        self.histogram.merge(&cell.histogram);
        if series.dims.success == Some(false) {
            self.failed += cell.count;
            self.failed_histogram.merge(&cell.histogram);
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.failed += other.failed;
        self.sum += other.sum;
        self.max = self.max.max(other.max);
        self.histogram.merge(&other.histogram);
        self.failed_histogram.merge(&other.failed_histogram);
    }

    pub(super) fn percentile(&self, share: f64) -> Option<f64> {
        let found = self.histogram.percentile(share)?;
        // The end of a bucket may exceed the longest call.
        Some(
            if self.max > 0.0 {
                found.min(self.max)
            } else {
                found
            } / 1_000.0,
        )
    }

    pub(super) fn average(&self) -> Option<f64> {
        let timed = self.histogram.count();
        (timed > 0).then(|| self.sum / timed as f64 / 1_000.0)
    }

    pub(super) fn failed_share(&self) -> f64 {
        if self.count > 0 {
            self.failed as f64 / self.count as f64
        } else {
            0.0
        }
    }

    pub(super) fn stats(&self, seconds: f64) -> Stats {
        Stats {
            count: self.count,
            per_second: self.count as f64 / seconds.max(1e-6),
            failed: self.failed,
            failed_share: self.failed_share(),
            avg_ms: self.average(),
            p50_ms: self.percentile(0.5),
            p95_ms: self.percentile(0.95),
            p99_ms: self.percentile(0.99),
            max_ms: (self.histogram.count() > 0).then_some(self.max / 1_000.0),
            sum_ms: self.sum / 1_000.0,
        }
    }

    pub(super) fn distribution(&self) -> Distribution {
        let failed: Vec<(i32, u64)> = self.failed_histogram.bins();
        let bins = self.histogram.bins();
        let range = bins
            .first()
            .map(|(first, _)| *first)
            .zip(bins.last().map(|(last, _)| *last));
        let mut filled = Vec::new();
        if let Some((first, last)) = range {
            for bin in first..=last {
                let of = |bins: &[(i32, u64)]| {
                    bins.iter()
                        .find(|(other, _)| *other == bin)
                        .map_or(0, |(_, count)| *count)
                };
                let failed = of(&failed);
                filled.push(Bin {
                    from_ms: bin_start(bin),
                    to_ms: bin_start(bin + 1),
                    succeeded: of(&bins).saturating_sub(failed),
                    failed,
                });
            }
        }
        Distribution {
            bins: filled,
            count: self.histogram.count(),
            p50_ms: self.percentile(0.5),
            p95_ms: self.percentile(0.95),
            p99_ms: self.percentile(0.99),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stats {
    pub(super) count: i64,
    pub(super) per_second: f64,
    pub(super) failed: i64,
    pub(super) failed_share: f64,
    pub(super) avg_ms: Option<f64>,
    pub(super) p50_ms: Option<f64>,
    pub(super) p95_ms: Option<f64>,
    pub(super) p99_ms: Option<f64>,
    pub(super) max_ms: Option<f64>,
    pub(super) sum_ms: f64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bin {
    from_ms: f64,
    to_ms: f64,
    succeeded: u64,
    failed: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Distribution {
    bins: Vec<Bin>,
    count: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
    p99_ms: Option<f64>,
}

/// A value, and its counterpart in the comparison range.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Compared {
    pub(super) value: Option<f64>,
    pub(super) was: Option<f64>,
}

/// Values of consecutive buckets.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Series {
    pub(super) name: String,
    start: Time,
    step_ms: i64,
    pub(super) values: Vec<Option<f64>>,
}

impl Series {
    pub(super) fn new(name: &str, steps: &Steps, values: Vec<Option<f64>>) -> Self {
        Self {
            name: name.to_owned(),
            start: Time(steps.start),
            step_ms: steps.step / 1_000,
            values,
        }
    }

    pub(super) fn counts(name: &str, steps: &Steps, counts: &[f64]) -> Self {
        Self::new(
            name,
            steps,
            counts.iter().map(|count| Some(*count)).collect(),
        )
    }
}

/// A tally for each bucket.
#[derive(Debug, Clone)]
pub(super) struct Buckets {
    pub(super) steps: Steps,
    pub(super) tallies: Vec<Tally>,
}

impl Buckets {
    pub(super) fn new(steps: Steps) -> Self {
        Self {
            steps,
            tallies: vec![Tally::default(); steps.count],
        }
    }

    pub(super) fn add(&mut self, time: i64, series: &StoredSeries, cell: &Cell) {
        if let Some(tally) = self
            .steps
            .index(time)
            .and_then(|index| self.tallies.get_mut(index))
        {
            tally.add(series, cell);
        }
    }

    pub(super) fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in &self.tallies {
            total.merge(tally);
        }
        total
    }

    pub(super) fn series(&self, name: &str, value: impl Fn(&Tally) -> Option<f64>) -> Series {
        Series::new(name, &self.steps, self.tallies.iter().map(value).collect())
    }

    pub(super) fn count(&self, name: &str) -> Series {
        self.series(name, |tally| Some(tally.count as f64))
    }

    pub(super) fn failed(&self, name: &str) -> Series {
        self.series(name, |tally| Some(tally.failed as f64))
    }

    pub(super) fn rate(&self, name: &str) -> Series {
        let seconds = self.steps.seconds();
        self.series(name, |tally| Some(tally.count as f64 / seconds))
    }

    /// The series p50, p95, p99, avg, count and failed.
    pub(super) fn all(&self) -> Vec<Series> {
        vec![
            self.series("p50", |tally| tally.percentile(0.5)),
            self.series("p95", |tally| tally.percentile(0.95)),
            self.series("p99", |tally| tally.percentile(0.99)),
            self.series("avg", Tally::average),
            self.count("count"),
            self.failed("failed"),
        ]
    }
}

impl Ask {
    /// Scales a count of the comparison range to the length of the requested range.
    pub(super) fn scaled(&self, count: i64) -> f64 {
        match self.vs {
            Some(vs) => count as f64 * self.seconds(self.range) / self.seconds(vs),
            None => count as f64,
        }
    }

    pub(super) fn stats(&self, tally: &Tally) -> Stats {
        tally.stats(self.seconds(self.range))
    }

    /// Statistics of the comparison range.
    pub(super) fn was(&self, tally: Option<&Tally>) -> Option<Stats> {
        let vs: Range = self.vs?;
        let tally = tally.filter(|tally| tally.count > 0)?;
        Some(tally.stats(self.seconds(vs)))
    }
}
