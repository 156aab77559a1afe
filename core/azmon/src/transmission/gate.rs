use std::time::Duration;

use tokio::time::Instant;

/// Shortest pause after a failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Longest pause that is not asked for by the service.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// When the endpoint may be tried again.
///
/// A failure closes the gate for a pause that doubles with every failure in a row, from 1 s to 5 min, of
/// which a random half is left out, so that many processes do not come back at once. `Retry-After`
/// overrides it. While it has failed and not succeeded since, one upload at a time probes the endpoint.
#[derive(Debug)]
pub(super) struct Gate {
    failures: u32,
    opens: Option<Instant>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self {
            failures: 0,
            opens: None,
        }
    }

    /// How many uploads may run at `now`, of `most`.
    pub(super) fn width(&self, now: Instant, most: usize) -> usize {
        match self.opens {
            Some(opens) if now < opens => 0,
            Some(_) => 1,
            None => most,
        }
    }

    /// When a closed gate opens.
    pub(super) fn opens(&self) -> Option<Instant> {
        self.opens
    }

    pub(super) fn is_closed(&self, now: Instant) -> bool {
        self.width(now, 1) == 0
    }

    /// Opens the gate for one try now, without forgetting the failures.
    pub(super) fn try_now(&mut self, now: Instant) {
        if let Some(opens) = &mut self.opens {
            *opens = now.min(*opens);
        }
    }

    pub(super) fn succeeded(&mut self) {
        *self = Self::new();
    }

    /// Closes the gate after a failure that was seen at `now`.
    ///
    /// `random` is between 0 and 1. Uploads that were under way together fail together: only the first
    /// of them counts.
    pub(super) fn failed(&mut self, now: Instant, retry_after: Option<Duration>, random: f64) {
        let pause = match retry_after {
            Some(pause) => pause,
            None if self.is_closed(now) => return,
            None => self.next_pause(random),
        };
        self.failures = self.failures.saturating_add(1);
        let opens = now + pause;
        self.opens = Some(self.opens.map_or(opens, |known| known.max(opens)));
    }

    fn next_pause(&self, random: f64) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16));
        doubled
            .min(LONGEST_PAUSE)
            .mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pause(gate: &Gate, now: Instant) -> Duration {
        gate.opens().unwrap() - now
    }

    #[test]
    fn pauses_double_up_to_five_minutes_and_a_random_half_is_left_out() {
        for (random, share) in [(0.0, 1.0), (1.0, 0.5)] {
            let mut gate = Gate::new();
            let mut now = Instant::now();
            for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
                gate.failed(now, None, random);
                assert_eq!(pause(&gate, now), (SECOND * seconds).mul_f64(share));
                now = gate.opens().unwrap();
            }
        }
    }

    #[test]
    fn uploads_that_fail_together_count_once() {
        let mut gate = Gate::new();
        let now = Instant::now();
        for _ in 0..10 {
            gate.failed(now, None, 0.0);
        }
        assert_eq!(pause(&gate, now), SECOND);
    }

    #[test]
    fn retry_after_overrides_the_pause_and_the_longest_holds() {
        let mut gate = Gate::new();
        let now = Instant::now();
        gate.failed(now, Some(60 * SECOND), 0.0);
        gate.failed(now, Some(30 * SECOND), 0.0);
        gate.failed(now, None, 0.0);
        assert_eq!(pause(&gate, now), 60 * SECOND);
    }

    #[test]
    fn after_the_pause_one_upload_probes_and_a_success_opens_wide() {
        let mut gate = Gate::new();
        let now = Instant::now();
        assert_eq!(gate.width(now, 16), 16);
        gate.failed(now, None, 0.0);
        assert_eq!(gate.width(now, 16), 0);
        assert_eq!(gate.width(now + SECOND, 16), 1);
        gate.succeeded();
        assert_eq!(gate.width(now, 16), 16);
    }

    #[test]
    fn a_try_in_between_does_not_forget_the_failures() {
        let mut gate = Gate::new();
        let now = Instant::now();
        gate.failed(now, None, 0.0);
        gate.try_now(now);
        assert_eq!(gate.width(now, 16), 1);
        gate.failed(now, None, 0.0);
        assert_eq!(pause(&gate, now), 2 * SECOND);
    }
}
