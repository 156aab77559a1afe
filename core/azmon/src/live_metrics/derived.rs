//! Derived metrics: a number of each item that matches, aggregated over an interval.

use crate::live_metrics::filter::{self, DIMENSIONS, Group, MEASUREMENTS, key_of, shortened};
use crate::live_metrics::subject::{LiveTelemetryType, Subject};

/// A metric that a server asked for.
#[derive(Debug)]
pub(super) struct DerivedMetric {
    pub(super) id: String,
    pub(super) of: LiveTelemetryType,
    pub(super) groups: Vec<Group>,
    pub(super) projection: Projection,
    pub(super) aggregation: Aggregation,
}

impl DerivedMetric {
    /// The number of an item that matches; `None` if it does not, or has none.
    pub(super) fn number(&self, of: LiveTelemetryType, subject: Subject<'_>) -> Option<f64> {
        let is_counted = self.of == of && filter::any_matches(&self.groups, subject);
        is_counted
            .then(|| self.projection.number(subject))
            .flatten()
    }
}

/// The number of an item.
#[derive(Debug)]
pub(super) enum Projection {
    Count,
    Duration,
    Dimension(String),
    Measurement(String),
}

impl Projection {
    pub(super) fn parse(of: LiveTelemetryType, text: &str) -> Result<Self, String> {
        let has_durations = matches!(
            of,
            LiveTelemetryType::Request | LiveTelemetryType::Dependency
        );
        if text.eq_ignore_ascii_case("Count()") {
            Ok(Self::Count)
        } else if text == "Duration" && has_durations {
            Ok(Self::Duration)
        } else if let Some(key) = key_of(text, DIMENSIONS) {
            Ok(Self::Dimension(key.to_owned()))
        } else if let Some(key) = key_of(text, MEASUREMENTS) {
            Ok(Self::Measurement(key.to_owned()))
        } else {
            let (name, text) = (of.as_str(), shortened(text));
            Err(format!("{name} has no number {text:?}"))
        }
    }

    fn number(&self, subject: Subject<'_>) -> Option<f64> {
        match self {
            Self::Count => Some(1.0),
            Self::Duration => Some(subject.duration()?.as_secs_f64() * 1_000.0),
            Self::Dimension(key) => filter::number(subject.dimension(key)?),
            Self::Measurement(key) => subject.measurement(key).filter(|number| number.is_finite()),
        }
    }
}

/// How numbers become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregation {
    Sum,
    Avg,
    Min,
    Max,
}

impl Aggregation {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(match text {
            "Sum" => Self::Sum,
            "Avg" => Self::Avg,
            "Min" => Self::Min,
            "Max" => Self::Max,
            _ => {
                return Err(format!(
                    "the aggregation {:?} is not known",
                    shortened(text)
                ));
            }
        })
    }
}

/// The numbers of an interval.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Accumulator {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

impl Accumulator {
    pub(super) fn add(&mut self, number: f64, weight: u64) {
        let is_first = self.count == 0;
        self.min = if is_first {
            number
        } else {
            self.min.min(number)
        };
        self.max = if is_first {
            number
        } else {
            self.max.max(number)
        };
        self.sum += number * weight as f64;
        self.count += weight;
    }

    /// The value and how many items it stands for; 0 of none.
    pub(super) fn value(&self, aggregation: Aggregation) -> (f64, u64) {
        let value = match aggregation {
            Aggregation::Sum => self.sum,
            Aggregation::Avg => self.sum / self.count.max(1) as f64,
            Aggregation::Min => self.min,
            Aggregation::Max => self.max,
        };
        (value, self.count)
    }
}
