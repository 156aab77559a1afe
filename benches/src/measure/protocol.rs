use serde::{Deserialize, Serialize};

use crate::fixtures::Addresses;

/// A command of the program to the process of a case, on one line.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) enum Order {
    /// Run without measuring.
    Warm(u64),
    /// Run this many operations, and measure.
    Run(u64),
    /// Report the figures.
    Figures,
    /// Report the addresses of the server.
    Addresses,
    /// Deliver waiting telemetry.
    Settle,
}

/// A response of the process of a case, as one line.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) nanoseconds: u64,
    pub(super) allocations: Option<Allocations>,
    /// The number of spans delivered since the start.
    pub(super) delivered: Option<u64>,
    pub(super) figures: Vec<Figure>,
    pub(super) addresses: Option<Addresses>,
}

/// The allocations of an operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocations {
    /// The number of allocations, including reallocations.
    pub count: u64,
    /// The sum of the sizes.
    pub bytes: u64,
}

/// A figure that a case reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// The name with its unit: `bytes on the wire per span`.
    pub name: String,
    /// The value.
    pub value: f64,
}

impl Figure {
    /// Makes a figure.
    #[must_use]
    pub fn new(name: &str, value: f64) -> Self {
        Self {
            name: name.to_owned(),
            value,
        }
    }
}
