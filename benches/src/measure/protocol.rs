use serde::{Deserialize, Serialize};

use crate::fixtures::{Addresses, ThreadTimes};

/// What the program tells the process of a case, one line each.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Order {
    /// Run without measuring.
    Warm(u64),
    /// Run this many operations, and measure.
    Run(u64),
    /// Say what else is known.
    Figures,
    /// Say where the server answers.
    Addresses,
    /// Deliver what waits.
    Settle,
    /// Say what processor time was taken.
    Times,
}

/// What the process of a case answers, one line each.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) nanoseconds: u64,
    pub(super) allocations: Option<Allocations>,
    /// Spans delivered since the start.
    pub(super) delivered: Option<u64>,
    pub(super) figures: Vec<Figure>,
    pub(super) addresses: Option<Addresses>,
    pub(super) times: Option<ThreadTimes>,
}

/// What was allocated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocations {
    /// How often. A reallocation counts.
    pub count: u64,
    /// The sum of the sizes.
    pub bytes: u64,
}

/// A number that a case knows about itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// With its unit: `bytes on the wire per span`.
    pub name: String,
    /// The number.
    pub value: f64,
}

impl Figure {
    /// Names a number.
    #[must_use]
    pub fn new(name: &str, value: f64) -> Self {
        Self {
            name: name.to_owned(),
            value,
        }
    }
}
