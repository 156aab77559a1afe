/// The amount of measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// The number of rounds of every case.
    pub rounds: usize,
    /// The number of rounds of every case of an area of services, which are long.
    pub rounds_of_service: usize,
    /// The divisor of the number of operations of a case that runs once.
    pub divisor: u64,
    /// The maximum number of operations under callgrind, which slows them about 50 times.
    pub instructions: u64,
}

impl Plan {
    /// Enough for reproducible medians.
    pub const FULL: Self = Self {
        rounds: 301,
        rounds_of_service: 31,
        divisor: 1,
        instructions: 1_000,
    };

    /// Enough to see a change of a few percent, in less than three minutes.
    pub const QUICK: Self = Self {
        rounds: 61,
        rounds_of_service: 9,
        divisor: 5,
        instructions: 200,
    };
}
