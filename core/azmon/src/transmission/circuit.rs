//! The circuit breaker of an endpoint.

use std::time::Duration;

use tokio::time::Instant;

/// Minimum pause of a failed endpoint; the value of the .NET exporter.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
/// Maximum pause that the service did not ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The circuit of an endpoint: closed while the endpoint accepts batches, open during a pause.
///
/// A failed batch proves little about the endpoint: the batch itself may be the cause. The first failure therefore
/// makes the endpoint only suspect: other batches are sent, one at a time. The circuit opens if another batch fails as
/// well, without a success in between. It opens at once if the service asks for a pause by `Retry-After`, or if no
/// token is available. A batch that fails again, although others have succeeded since its last failure, does not count.
///
/// An open circuit pauses for 10 s. Each failed probe doubles the pause, up to an hour. A random half is added, so that
/// many processes do not return at the same time. `Retry-After` overrides the pause. After the pause, one upload at a
/// time probes the endpoint. A success closes the circuit.
#[derive(Debug)]
pub(super) struct Circuit {
    state: State,
    /// Number of openings since the last success.
    openings: u32,
    /// Uploads that began before the last opening belong to the same wave, and count once.
    wave: u64,
    successes: u64,
    /// The end of the pause that the service asked for.
    ordered: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    Suspect { batch: u64 },
    Open { until: Instant },
}

/// A failed upload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Failure {
    pub(super) batch: u64,
    /// [`Circuit::wave`] when the upload began.
    pub(super) wave: u64,
    /// [`Circuit::successes`] when the batch failed last.
    pub(super) successes: Option<u64>,
    pub(super) retry_after: Option<Duration>,
    /// The endpoint caused the failure, certainly not the batch.
    pub(super) is_outage: bool,
}

/// The state of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CircuitState {
    /// The endpoint accepts telemetry.
    #[default]
    Closed,
    /// The endpoint refused a batch or did not answer. Other batches are sent, one at a time.
    Suspect,
    /// The endpoint is paused. New telemetry is stored on disk, or held in memory.
    Open,
    /// One batch probes whether the endpoint is available again.
    Probing,
}

impl Circuit {
    pub(super) fn new() -> Self {
        Self {
            state: State::Closed,
            openings: 0,
            wave: 0,
            successes: 0,
            ordered: None,
        }
    }

    /// The number of uploads that may run at `now`, at most `max`.
    pub(super) fn permits(&self, now: Instant, max: usize) -> usize {
        match self.state {
            State::Closed => max,
            State::Open { until } if now < until => 0,
            State::Suspect { .. } | State::Open { .. } => 1,
        }
    }

    /// The time from which an open circuit allows a probe.
    pub(super) fn opens_until(&self) -> Option<Instant> {
        match self.state {
            State::Open { until } => Some(until),
            State::Closed | State::Suspect { .. } => None,
        }
    }

    /// Whether no upload may start.
    pub(super) fn is_open(&self, now: Instant) -> bool {
        self.permits(now, 1) == 0
    }

    /// Whether the circuit is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    pub(super) fn state(&self, now: Instant) -> CircuitState {
        match self.state {
            State::Closed => CircuitState::Closed,
            State::Suspect { .. } => CircuitState::Suspect,
            State::Open { until } if now < until => CircuitState::Open,
            State::Open { .. } => CircuitState::Probing,
        }
    }

    pub(super) fn wave(&self) -> u64 {
        self.wave
    }

    pub(super) fn successes(&self) -> u64 {
        self.successes
    }

    /// Whether a pause that the service asked for is not over yet.
    pub(super) fn is_ordered(&self, now: Instant) -> bool {
        self.ordered.is_some_and(|until| now < until)
    }

    /// Allows a probe now and keeps the failures, unless the service asked for the pause.
    pub(super) fn try_now(&mut self, now: Instant) {
        if let State::Open { until } = &mut self.state
            && self.ordered.is_none_or(|ordered| ordered <= now)
        {
            *until = now.min(*until);
        }
    }

    pub(super) fn succeeded(&mut self) {
        self.successes += 1;
        self.state = State::Closed;
        self.openings = 0;
        self.ordered = None;
    }

    /// Notes a failure at `now`. `random` is between 0 and 1.
    pub(super) fn failed(&mut self, now: Instant, failure: &Failure, random: f64) {
        let is_late = failure.wave < self.wave;
        if let Some(pause) = failure.retry_after {
            let until = later(now, pause);
            self.ordered = self.ordered.max(Some(until));
            if is_late || self.is_open(now) {
                let known = self.opens_until().unwrap_or(until);
                self.state = State::Open {
                    until: known.max(until),
                };
            } else {
                self.open(until);
            }
            return;
        }
        let is_own = failure
            .successes
            .is_some_and(|successes| successes < self.successes);
        if is_late || (is_own && !failure.is_outage) {
            return;
        }
        match self.state {
            State::Closed if !failure.is_outage => {
                self.state = State::Suspect {
                    batch: failure.batch,
                };
            }
            State::Suspect { batch } if batch == failure.batch && !failure.is_outage => {}
            _ => self.open(later(now, self.next_pause(random))),
        }
    }

    fn open(&mut self, until: Instant) {
        self.openings = self.openings.saturating_add(1);
        self.wave += 1;
        self.state = State::Open { until };
    }

    fn next_pause(&self, random: f64) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << self.openings.min(16));
        let base = doubled.min(LONGEST_PAUSE.mul_f64(2.0 / 3.0));
        base.mul_f64(1.0 + random.clamp(0.0, 1.0) / 2.0)
    }
}

/// Adds a pause to an instant. An instant that cannot be represented is replaced by one a year away.
pub(super) fn later(now: Instant, pause: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    now.checked_add(pause).unwrap_or(now + YEAR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn failure(circuit: &Circuit, batch: u64) -> Failure {
        Failure {
            batch,
            wave: circuit.wave(),
            successes: None,
            retry_after: None,
            is_outage: false,
        }
    }

    fn fail(circuit: &mut Circuit, now: Instant, batch: u64) {
        let failure = failure(circuit, batch);
        circuit.failed(now, &failure, 0.0);
    }

    fn pause(circuit: &Circuit, now: Instant) -> Duration {
        circuit.opens_until().unwrap() - now
    }

    #[test]
    fn one_batch_that_fails_again_and_again_does_not_open_the_circuit() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        for _ in 0..10 {
            fail(&mut circuit, now, 1);
            assert_eq!(circuit.state(now), CircuitState::Suspect);
            assert_eq!(circuit.permits(now, 16), 1);
        }
        circuit.succeeded();
        assert_eq!(circuit.permits(now, 16), 16);
    }

    #[test]
    fn two_batches_that_fail_without_a_success_between_open_it() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        fail(&mut circuit, now, 1);
        circuit.succeeded();
        fail(&mut circuit, now, 2);
        assert_eq!(circuit.state(now), CircuitState::Suspect);
        fail(&mut circuit, now, 3);
        assert_eq!(circuit.state(now), CircuitState::Open);
        assert_eq!(circuit.permits(now, 16), 0);
        assert_eq!(circuit.permits(now + 10 * SECOND, 16), 1);
    }

    #[test]
    fn a_batch_that_others_have_passed_says_nothing_about_the_endpoint() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        fail(&mut circuit, now, 1);
        let successes = Some(circuit.successes());
        circuit.succeeded();
        fail(&mut circuit, now, 2);
        let again = Failure {
            successes,
            ..failure(&circuit, 1)
        };
        circuit.failed(now, &again, 0.0);
        assert_eq!(circuit.state(now), CircuitState::Suspect);
    }

    #[test]
    fn pauses_double_up_to_an_hour_and_a_random_half_is_added() {
        for (random, share) in [(0.0, 1.0), (1.0, 1.5)] {
            let (mut circuit, mut now) = (Circuit::new(), Instant::now());
            fail(&mut circuit, now, 0);
            for (probe, seconds) in (1..).zip([10, 20, 40, 80, 160, 320, 640, 1280, 2400, 2400]) {
                let failure = failure(&circuit, probe);
                circuit.failed(now, &failure, random);
                assert_eq!(pause(&circuit, now), (SECOND * seconds).mul_f64(share));
                now = circuit.opens_until().unwrap();
            }
        }
    }

    #[test]
    fn a_wave_of_throttled_uploads_counts_once() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        let throttled = |seconds: u32| Failure {
            retry_after: Some(SECOND * seconds),
            ..failure(&Circuit::new(), 1)
        };
        for seconds in [2, 3, 1, 2, 2, 2, 2, 2] {
            circuit.failed(now, &throttled(seconds), 0.0);
        }
        assert_eq!(pause(&circuit, now), 3 * SECOND);
        let now = now + 3 * SECOND;
        fail(&mut circuit, now, 2);
        assert_eq!(pause(&circuit, now), 20 * SECOND);
    }

    #[test]
    fn an_ordered_pause_is_not_cut_short_but_another_one_is() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        let ordered = Failure {
            retry_after: Some(3_600 * SECOND),
            ..failure(&circuit, 1)
        };
        circuit.failed(now, &ordered, 0.0);
        circuit.try_now(now);
        assert!(circuit.is_open(now) && circuit.is_ordered(now));
        let mut circuit = Circuit::new();
        fail(&mut circuit, now, 1);
        fail(&mut circuit, now, 2);
        circuit.try_now(now);
        assert_eq!(circuit.state(now), CircuitState::Probing);
        fail(&mut circuit, now, 3);
        assert_eq!(pause(&circuit, now), 20 * SECOND);
    }

    #[test]
    fn an_outage_opens_it_at_once() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        let outage = Failure {
            is_outage: true,
            ..failure(&circuit, 1)
        };
        circuit.failed(now, &outage, 0.0);
        assert!(circuit.is_open(now));
    }

    #[test]
    fn a_pause_that_is_endless_can_be_computed() {
        let (mut circuit, now) = (Circuit::new(), Instant::now());
        let endless = Failure {
            retry_after: Some(Duration::MAX),
            ..failure(&circuit, 1)
        };
        circuit.failed(now, &endless, 0.0);
        assert!(circuit.is_open(now + 1_000_000 * SECOND));
    }
}
