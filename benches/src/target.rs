//! The targets of azmon.

/// A bound on one quantity of one case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The id of the case.
    pub case: &'static str,
    /// The bounded quantity.
    pub quantity: Quantity,
    /// The bound.
    pub bound: Bound,
}

/// A quantity. All except figures are measured above the case's [reference](crate::Case::above).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Nanoseconds per operation.
    Time,
    /// Allocations per operation.
    Allocations,
    /// Instructions per operation.
    Instructions,
    /// A [figure](crate::Figure) of the case, by name.
    Figure(&'static str),
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// At most this value.
    AtMost(f64),
    /// At most this share of the best peer's value.
    OfPeer(f64),
}

impl Target {
    /// Makes a bound on a quantity of a case.
    #[must_use]
    pub const fn new(case: &'static str, quantity: Quantity, bound: Bound) -> Self {
        Self {
            case,
            quantity,
            bound,
        }
    }
}
