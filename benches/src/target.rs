//! What azmon is to reach.

/// A bound for one quantity of one case.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The case's id.
    pub case: &'static str,
    /// What is bounded.
    pub quantity: Quantity,
    /// By what.
    pub bound: Bound,
}

/// What can be bounded. All but figures are counted above the case's [reference](crate::Case::above).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// Nanoseconds of an operation.
    Time,
    /// Allocations of an operation.
    Allocations,
    /// Instructions of an operation.
    Instructions,
    /// A [figure](crate::Figure) of the case, by name.
    Figure(&'static str),
}

/// A bound.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No more than this share of what the best peer takes.
    OfPeer(f64),
}

impl Target {
    /// Bounds a quantity of a case.
    #[must_use]
    pub const fn new(case: &'static str, quantity: Quantity, bound: Bound) -> Self {
        Self {
            case,
            quantity,
            bound,
        }
    }
}
