//! The reviewed deviations of metrics, with the expected values, computed from the input alone.

use serde_json::Value;

use crate::replay::metrics::input::Point;

/// A reviewed deviation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The field, as [`item`](crate::replay::item) names it.
    pub(super) field: &'static str,
    /// Our expected value for a point, if the rule applies.
    pub(super) expected: fn(Point<'_>) -> Option<Value>,
    /// The reason why our value is better.
    pub(super) reason: &'static str,
}

/// All rules.
pub(super) const ALL: &[Rule] = &[STANDARD_DEVIATION];

/// The reason why azmon sends no item for a point without values.
pub(super) const NO_VALUE: &str = "a histogram without any value is no item: the ends that the officials write are infinite, which no JSON is";

const STANDARD_DEVIATION: Rule = Rule {
    field: "metric.stdDev",
    expected: standard_deviation,
    reason: "the ends and the sum of up to three values tell their standard deviation, which the \
             officials leave out",
};

fn standard_deviation(point: Point<'_>) -> Option<Value> {
    let values = point.values();
    let is_told = (1..=3).contains(&values.len());
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    is_told.then(|| Value::from((squares.sum::<f64>() / count).sqrt()))
}
