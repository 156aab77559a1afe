use std::time::Duration;

/// The time constant of the window, in seconds: after this time a span has the weight 1/e.
const ADAPTATION_TIME: f64 = 0.1;

/// The number of recent spans and the time in which they came. Both decay exponentially.
///
/// Their ratio is the mean rate over [`ADAPTATION_TIME`]. It follows a change of load within tenths of a second, and
/// needs no list of spans.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Window {
    spans: f64,
    nanoseconds: f64,
    /// The time of the last span; `None` before the first.
    last: Option<Duration>,
}

impl Window {
    /// The window before the first span, as after two idle seconds, or after twice the interval that the limit allows.
    /// An empty window would drop the first spans, because they come in no time; this one lets as many pass as the
    /// limit allows in a second.
    pub(super) fn after_idleness(target_per_second: f64) -> Self {
        let seconds = 2.0 * 1.0_f64.max(1.0 / target_per_second);
        Self {
            spans: 0.0,
            nanoseconds: seconds.min(LONGEST_IDLENESS) * 1e9,
            last: None,
        }
    }

    /// Adds `spans` at the time `now`, and returns the percentage of them that the limit allows.
    pub(super) fn step(&mut self, now: Duration, spans: u32, target_per_second: f64) -> f64 {
        let last = self.last.unwrap_or(now);
        let passed = now.saturating_sub(last).as_nanos() as f64;
        let decay = (-passed * (1e-9 / ADAPTATION_TIME)).exp();
        self.spans = self.spans * decay + f64::from(spans);
        self.nanoseconds = self.nanoseconds * decay + passed;
        self.last = Some(last.max(now));
        let allowed = self.nanoseconds * (1e-9 * target_per_second) / self.spans;
        allowed.min(1.0) * 100.0
    }
}

/// Eleven days: a limit of less than one span in this time allows none.
const LONGEST_IDLENESS: f64 = 1e6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::golden::{golden, items_of};
    use crate::sampling::item_count::ItemCount;

    /// The official exporter's window at its start.
    const EMPTY: Window = Window {
        spans: 0.0,
        nanoseconds: 0.0,
        last: Some(Duration::ZERO),
    };

    fn close(left: f64, right: f64) -> bool {
        (left - right).abs() <= 1e-12 * right.abs().max(1.0)
    }

    #[test]
    fn every_step_is_that_of_the_official_rate_limiter() {
        for series in golden().rate_limited_series {
            let (mut window, mut now) = (EMPTY, Duration::ZERO);
            for (number, call) in series.calls.iter().enumerate() {
                now += Duration::from_nanos(call.delta_ns);
                let percent = window.step(now, 1, series.target_per_second);
                let place = format!("{} per second, call {number}", series.target_per_second);
                assert!(close(percent, call.percent_raw), "{place}: {percent}");
                let count = ItemCount::of_percent(percent).map_or(0, ItemCount::to_u32);
                assert_eq!(count, items_of(call.percent_rounded), "{place}");
                assert!(close(window.spans, call.state[0]), "{place}: {window:?}");
                assert!(
                    close(window.nanoseconds, call.state[1]),
                    "{place}: {window:?}"
                );
            }
        }
    }

    #[test]
    fn the_first_spans_are_all_allowed_up_to_one_second_of_the_limit() {
        for (target, first) in [(0.1, 1), (1.0, 1), (5.0, 5), (100.0, 100)] {
            // All at once, or within a tenth of a second.
            for pause in [Duration::ZERO, Duration::from_millis(100) / first] {
                let mut window = Window::after_idleness(target);
                let start = Duration::from_millis(300);
                for number in 1..=first {
                    let percent = window.step(start + pause * number, 1, target);
                    assert_eq!(percent, 100.0, "span {number} at {target}");
                }
                let more = (1..=2 * first).map(|number| start + pause * (first + number));
                let percents = more.map(|now| window.step(now, 1, target));
                assert!(percents.last().unwrap() < 100.0, "{target}");
            }
        }
    }

    #[test]
    fn a_limit_of_nothing_allows_nothing() {
        let mut window = Window::after_idleness(0.0);
        assert_eq!(window.step(Duration::ZERO, 1, 0.0), 0.0);
        assert_eq!(window.step(Duration::from_secs(9), 1, 0.0), 0.0);
    }

    #[test]
    fn spans_that_come_together_weigh_as_much_as_one_by_one() {
        let (mut together, mut apart) = (EMPTY, EMPTY);
        let now = Duration::from_millis(50);
        let percent = together.step(now, 3, 5.0);
        apart.step(now, 1, 5.0);
        apart.step(now, 1, 5.0);
        assert_eq!(percent, apart.step(now, 1, 5.0));
        assert_eq!(together, apart);
    }

    #[test]
    fn a_clock_that_goes_backwards_counts_as_standing_still() {
        let mut window = EMPTY;
        window.step(Duration::from_secs(2), 1, 5.0);
        let before = window;
        window.step(Duration::from_secs(1), 1, 5.0);
        assert_eq!(window.last, before.last);
        assert_eq!(window.nanoseconds, before.nanoseconds);
    }
}
