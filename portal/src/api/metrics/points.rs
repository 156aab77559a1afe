//! Metric values by bucket, and their aggregations.

use std::collections::HashSet;

use crate::api::ask::Steps;
use crate::store::histogram::Histogram;
use crate::store::said::metric_value;
use crate::store::{Cell, Item};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregation {
    Avg,
    Sum,
    Min,
    Max,
    Count,
    Unique,
    Rate,
    Delta,
    P50,
    P95,
    P99,
}

const NAMES: [(Aggregation, &str); 11] = [
    (Aggregation::Avg, "avg"),
    (Aggregation::Sum, "sum"),
    (Aggregation::Min, "min"),
    (Aggregation::Max, "max"),
    (Aggregation::Count, "count"),
    (Aggregation::Unique, "unique"),
    (Aggregation::Rate, "rate"),
    (Aggregation::Delta, "delta"),
    (Aggregation::P50, "p50"),
    (Aggregation::P95, "p95"),
    (Aggregation::P99, "p99"),
];

impl Aggregation {
    pub(super) fn parse(name: &str) -> Option<Self> {
        NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(aggregation, _)| *aggregation)
    }

    pub(super) fn as_str(self) -> &'static str {
        NAMES
            .iter()
            .find(|(known, _)| *known == self)
            .map_or("avg", |(_, name)| name)
    }

    pub(super) const fn is_percentile(self) -> bool {
        self.share().is_some()
    }

    /// Whether a bucket's value depends on its length or on the previous bucket.
    pub(super) const fn is_of_time(self) -> bool {
        matches!(self, Self::Rate | Self::Delta)
    }

    const fn share(self) -> Option<f64> {
        match self {
            Self::P50 => Some(0.5),
            Self::P95 => Some(0.95),
            Self::P99 => Some(0.99),
            _ => None,
        }
    }
}

/// The measured quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// The duration, in milliseconds.
    Duration,
    /// The number of items.
    Count,
    /// The value of a metric.
    Value,
}

/// The values of one bucket.
#[derive(Debug, Clone, Default)]
pub(super) struct Point {
    sum: f64,
    count: i64,
    min: Option<f64>,
    max: Option<f64>,
    /// Durations, in microseconds.
    histogram: Histogram,
    /// Values of a metric, each with its weight.
    values: Vec<(f64, i64)>,
    users: HashSet<String>,
}

impl Point {
    fn add(&mut self, sum: f64, count: i64, (min, max): (f64, f64)) {
        if !(sum.is_finite() && min.is_finite() && max.is_finite()) {
            return;
        }
        self.sum += sum;
        self.count += count;
        self.min = Some(self.min.map_or(min, |known| known.min(min)));
        self.max = Some(self.max.map_or(max, |known| known.max(max)));
    }

    fn merge(&mut self, other: &Self) {
        if let (Some(min), Some(max)) = (other.min, other.max) {
            self.add(other.sum, other.count, (min, max));
        }
        self.histogram.merge(&other.histogram);
        self.values.extend(&other.values);
        self.users.extend(other.users.iter().cloned());
    }

    pub(super) const fn count(&self) -> i64 {
        self.count
    }

    pub(super) fn value(&self, aggregation: Aggregation) -> Option<f64> {
        if self.count == 0 {
            return None;
        }
        if let Some(share) = aggregation.share() {
            return self.percentile(share);
        }
        match aggregation {
            Aggregation::Sum | Aggregation::Rate => Some(self.sum),
            Aggregation::Min => self.min,
            Aggregation::Max => self.max,
            Aggregation::Count => Some(self.count as f64),
            Aggregation::Unique => Some(self.users.len() as f64),
            _ => Some(self.sum / self.count as f64),
        }
    }

    fn percentile(&self, share: f64) -> Option<f64> {
        if self.values.is_empty() {
            return self
                .histogram
                .percentile(share)
                .map(|micros| micros / 1_000.0);
        }
        let mut values = self.values.clone();
        values.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all: i64 = values.iter().map(|(_, weight)| weight).sum();
        let rank = (share * all as f64).ceil() as i64;
        let mut below = 0;
        for (value, weight) in &values {
            below += weight;
            if below >= rank {
                return Some(*value);
            }
        }
        values.last().map(|(value, _)| *value)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Points(Vec<Point>);

impl Points {
    pub(super) fn new(steps: &Steps) -> Self {
        Self(vec![Point::default(); steps.count])
    }

    fn at(&mut self, steps: &Steps, time: i64) -> Option<&mut Point> {
        steps.index(time).and_then(|index| self.0.get_mut(index))
    }

    /// Adds a rollup cell.
    pub(super) fn add_cell(&mut self, steps: &Steps, time: i64, cell: &Cell, of: Of) {
        let Some(point) = self.at(steps, time) else {
            return;
        };
        let count = cell.count as f64;
        match of {
            Of::Duration => {
                let timed = i64::try_from(cell.histogram.count()).unwrap_or(i64::MAX);
                if timed > 0 {
                    point.add(
                        cell.sum / 1_000.0,
                        timed,
                        (cell.min / 1_000.0, cell.max / 1_000.0),
                    );
                    point.histogram.merge(&cell.histogram);
                }
            }
            Of::Count => point.add(count, cell.count, (count, count)),
            Of::Value => point.add(cell.sum, cell.count, (cell.min, cell.max)),
        }
    }

    pub(super) fn add_item(&mut self, steps: &Steps, time: i64, item: &Item, of: Of) {
        let Some(point) = self.at(steps, time) else {
            return;
        };
        let weight = i64::try_from(item.count()).unwrap_or(1);
        if let Some(user) = item.tag("ai.user.id").or_else(|| item.tag("ai.session.id")) {
            point.users.insert(user.to_owned());
        }
        if let Some(value) = metric_value(&item.envelope().data) {
            point.add(value.sum, value.count, (value.min, value.max));
            point
                .values
                .push((value.sum / value.count as f64, value.count));
        } else if let (Of::Duration, Some(duration)) = (of, item.duration()) {
            let milliseconds = duration.as_secs_f64() * 1_000.0;
            point.add(
                milliseconds * weight as f64,
                weight,
                (milliseconds, milliseconds),
            );
            point.values.push((milliseconds, weight));
        } else if of == Of::Count {
            point.add(weight as f64, weight, (weight as f64, weight as f64));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        for (point, other) in self.0.iter_mut().zip(&other.0) {
            point.merge(other);
        }
    }

    pub(super) fn total(&self) -> Point {
        let mut total = Point::default();
        self.0.iter().for_each(|point| total.merge(point));
        total
    }

    /// The size by which the largest series are selected.
    pub(super) fn size(&self) -> f64 {
        self.0.iter().map(|point| point.sum.abs()).sum()
    }

    pub(super) fn values(&self, steps: &Steps, aggregation: Aggregation) -> Vec<Option<f64>> {
        match aggregation {
            Aggregation::Rate => {
                let seconds = steps.seconds();
                self.0
                    .iter()
                    .map(|point| point.value(aggregation).map(|sum| sum / seconds))
                    .collect()
            }
            Aggregation::Delta => {
                let mut before = None;
                let value = |point: &Point| point.value(Aggregation::Avg);
                self.0
                    .iter()
                    .map(|point| {
                        let now = value(point)?;
                        let change = before.map(|before: f64| now - before);
                        before = Some(now);
                        change
                    })
                    .collect()
            }
            _ => self
                .0
                .iter()
                .map(|point| point.value(aggregation))
                .collect(),
        }
    }
}
