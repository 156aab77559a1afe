use std::time::Duration;

/// What time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Processor time of the working thread.
    Thread,
    /// Processor time of all threads of the process.
    Process,
    /// Time that passes.
    Wall,
}

impl Clock {
    /// The time since some point in the past. Where a system has no clock for processor time, time that
    /// passes is taken.
    #[must_use]
    pub fn now(self) -> Duration {
        system::now(self)
    }
}

#[cfg(unix)]
mod system {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn now(clock: super::Clock) -> Duration {
        let id = match clock {
            super::Clock::Thread => ClockId::ThreadCPUTime,
            super::Clock::Process => ClockId::ProcessCPUTime,
            super::Clock::Wall => ClockId::Monotonic,
        };
        Duration::try_from(clock_gettime(id)).unwrap_or_default()
    }
}

#[cfg(not(unix))]
mod system {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(super) fn now(_: super::Clock) -> Duration {
        START.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn every_clock_goes_on_while_work_is_done() {
        for clock in [Clock::Thread, Clock::Process, Clock::Wall] {
            let start = clock.now();
            black_box((0..1_000_000_u64).map(black_box).sum::<u64>());
            assert!(clock.now() > start, "{clock:?}");
        }
    }
}
