/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Rounds of every case.
    pub rounds: usize,
    /// Rounds of every case of an area of services, which are long.
    pub rounds_of_service: usize,
    /// By what the operations of a case that runs once are divided.
    pub divisor: u64,
    /// Operations under callgrind, which takes about 50 times as long.
    pub instructions: u64,
}

impl Plan {
    /// Enough for medians that come out the same the next time.
    pub const FULL: Self = Self {
        rounds: 301,
        rounds_of_service: 31,
        divisor: 1,
        instructions: 1_000,
    };

    /// Enough to see a change of some percent, in less than three minutes.
    pub const QUICK: Self = Self {
        rounds: 61,
        rounds_of_service: 9,
        divisor: 5,
        instructions: 200,
    };
}
