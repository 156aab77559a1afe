//! A recorded metric, parsed independently of the mapping.

use serde_json::Value;

/// A data point of a recorded metric.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point<'a>(pub(super) &'a Value);

impl<'a> Point<'a> {
    /// The points of an input.
    pub(super) fn all(input: &'a Value) -> impl Iterator<Item = Self> {
        input["points"].as_array().into_iter().flatten().map(Self)
    }

    /// Whether the point has no value.
    pub(super) fn is_empty(self) -> bool {
        self.0["count"].as_u64() == Some(0)
    }

    /// Values that reproduce a histogram point: its minimum and maximum, and between them the missing values,
    /// which share the rest of the sum.
    pub(super) fn values(self) -> Vec<f64> {
        let number = |key: &str| self.0[key].as_f64().unwrap_or_default();
        let (sum, min, max) = (number("sum"), number("min"), number("max"));
        match self.0["count"].as_u64().unwrap_or_default() {
            0 => Vec::new(),
            1 => vec![sum],
            2 => vec![min, max],
            count => {
                let between = count - 2;
                let share = (sum - min - max) / between as f64;
                let mut values = vec![min, max];
                values.extend((0..between).map(|_| share));
                values
            }
        }
    }
}
