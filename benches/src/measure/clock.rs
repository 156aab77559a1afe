use std::time::Duration;

/// The CPU time of the calling thread; wall-clock time on systems without such a clock.
pub(super) fn thread_time() -> Duration {
    system::now()
}

#[cfg(unix)]
mod system {
    use std::time::Duration;

    use rustix::time::{ClockId, clock_gettime};

    pub(super) fn now() -> Duration {
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
    }
}

#[cfg(not(unix))]
mod system {
    use std::sync::LazyLock;
    use std::time::{Duration, Instant};

    static START: LazyLock<Instant> = LazyLock::new(Instant::now);

    pub(super) fn now() -> Duration {
        START.elapsed()
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn the_clock_goes_on_while_work_is_done() {
        let start = thread_time();
        black_box((0..1_000_000_u64).map(black_box).sum::<u64>());
        assert!(thread_time() > start);
    }
}
