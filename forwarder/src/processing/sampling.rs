//! Sampling by the hash of the trace id: every replica, and every other SDK with the same hash, keeps or drops
//! the same whole traces.
//!
//! Metrics, availability results and items that their sender has already sampled are never sampled.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use azmon::envelope::{Data, Envelope, tags};

use crate::config::Sampling;
use crate::processing::text;

/// The interval of adapting the rate, which is that of Microsoft's estimator.
const INTERVAL: Duration = Duration::from_secs(15);
/// The weight of the newest interval in the average.
const WEIGHT: f64 = 0.25;
/// The minimum time after a change until the rate may fall, and until it may rise.
const FALL_AFTER: Duration = Duration::from_secs(2 * 60);
const RISE_AFTER: Duration = Duration::from_secs(15 * 60);
/// The smallest rate is one in this many items.
const LEAST: f64 = 1_000.0;
/// The time constant of the rate limiter, which is that of the official samplers.
const DECAY: f64 = 0.1;

/// Decides which items are kept.
#[derive(Debug)]
pub(super) struct Sampler {
    kind: Kind,
    keep_failures: bool,
}

#[derive(Debug)]
enum Kind {
    All,
    Fixed(f64),
    RateLimited(Mutex<RateLimiter>),
    Adaptive {
        events: Mutex<Estimator>,
        others: Mutex<Estimator>,
    },
}

impl Sampler {
    pub(super) fn new(sampling: Sampling, keep_failures: bool, now: Instant) -> Self {
        Self {
            kind: match sampling {
                Sampling::All => Kind::All,
                Sampling::Fixed(percent) => Kind::Fixed(round_down(percent)),
                Sampling::RateLimited(rate) => {
                    Kind::RateLimited(Mutex::new(RateLimiter::new(rate, now)))
                }
                Sampling::Adaptive(budgets) => Kind::Adaptive {
                    events: Mutex::new(Estimator::new(budgets.max_events_per_second, now)),
                    others: Mutex::new(Estimator::new(budgets.max_other_items_per_second, now)),
                },
            },
            keep_failures,
        }
    }

    /// Whether an item is kept. Sets the sample rate of a kept item.
    pub(super) fn keeps(&self, envelope: &mut Envelope<'_>, now: Instant) -> bool {
        if matches!(envelope.data, Data::Metric(_) | Data::Availability(_)) {
            return true;
        }
        let percent = match &self.kind {
            Kind::All => return true,
            Kind::Fixed(percent) => *percent,
            Kind::RateLimited(limiter) => {
                let mut limiter = limiter.lock().unwrap_or_else(PoisonError::into_inner);
                limiter.percent(now)
            }
            Kind::Adaptive { events, others } => {
                let estimator = match envelope.data {
                    Data::Event(_) => events,
                    _ => others,
                };
                let mut estimator = estimator.lock().unwrap_or_else(PoisonError::into_inner);
                estimator.percent(now)
            }
        };
        let is_sampled_already = envelope.sample_rate.is_some_and(|rate| rate < 100.0);
        if is_sampled_already || (self.keep_failures && is_failure(&envelope.data)) {
            return true;
        }
        if percent >= 100.0 {
            return true;
        }
        let is_kept = score(envelope) < percent;
        if is_kept {
            envelope.sample_rate = Some(percent);
        }
        is_kept
    }
}

fn is_failure(data: &Data<'_>) -> bool {
    matches!(data, Data::Exception(_)) || text::success(data) == Some(false)
}

/// The score of an item, from 0 to 100: by its operation, else its user, else by chance.
fn score(envelope: &Envelope<'_>) -> f64 {
    let known = [tags::OPERATION_ID, tags::USER_ID];
    let known = known.into_iter().find_map(|key| text::tag(envelope, key));
    known.map_or_else(|| fastrand::f64() * 100.0, score_of)
}

/// The score of the official SDKs, in percent: a hash of the text, which is repeated to at least eight
/// characters.
fn score_of(text: &str) -> f64 {
    const FEWEST: usize = 8;
    let times = match text.len() {
        length @ 1..FEWEST => FEWEST.div_ceil(length),
        _ => 1,
    };
    let units = std::iter::repeat_n(text, times).flat_map(str::encode_utf16);
    let hash = units.fold(5_381_i32, |hash, unit| {
        hash.wrapping_mul(33).wrapping_add(i32::from(unit))
    });
    let hash = hash.checked_abs().unwrap_or(i32::MAX);
    f64::from(hash) / f64::from(i32::MAX) * 100.0
}

/// Rounds down to a percentage that represents a whole number of items: 100 divided by an integer.
fn round_down(percent: f64) -> f64 {
    100.0 / (100.0 / percent).ceil().max(1.0)
}

/// Keeps a number of items a second, averaged over a tenth of a second.
#[derive(Debug)]
struct RateLimiter {
    target: f64,
    count: f64,
    seconds: f64,
    last: Instant,
}

impl RateLimiter {
    fn new(target: f64, now: Instant) -> Self {
        Self {
            target,
            count: 0.0,
            // Starts as after an idle time, so that the first items are kept.
            seconds: DECAY,
            last: now,
        }
    }

    fn percent(&mut self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.last).as_secs_f64();
        self.last = now.max(self.last);
        let decay = (-passed / DECAY).exp();
        self.count = self.count * decay + 1.0;
        self.seconds = self.seconds * decay + passed;
        let share = (self.seconds * self.target / self.count).min(1.0);
        if share > 0.0 {
            round_down(share * 100.0)
        } else {
            0.0
        }
    }
}

/// Keeps items within a budget by one rate that changes rarely: Microsoft's adaptive sampling.
#[derive(Debug)]
struct Estimator {
    budget: f64,
    /// The rate: one in this many items is kept.
    one_of: f64,
    average: Option<f64>,
    count: f64,
    since: Instant,
    changed: Instant,
}

impl Estimator {
    fn new(budget: f64, now: Instant) -> Self {
        Self {
            budget,
            one_of: 1.0,
            average: None,
            count: 0.0,
            since: now,
            changed: now,
        }
    }

    fn percent(&mut self, now: Instant) -> f64 {
        let passed = now.saturating_duration_since(self.since);
        if passed >= INTERVAL {
            self.look(passed.as_secs_f64(), now);
        }
        self.count += 1.0;
        100.0 / self.one_of
    }

    fn look(&mut self, seconds: f64, now: Instant) {
        let rate = self.count / seconds;
        let average = match self.average {
            Some(before) => WEIGHT * rate + (1.0 - WEIGHT) * before,
            None => rate,
        };
        self.average = Some(average);
        (self.count, self.since) = (0.0, now);
        let wanted = (average / self.budget).ceil().clamp(1.0, LEAST);
        let waited = now.saturating_duration_since(self.changed);
        let falls = wanted > self.one_of && waited >= FALL_AFTER;
        let rises = wanted < self.one_of && waited >= RISE_AFTER;
        if falls || rises {
            (self.one_of, self.changed) = (wanted, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use azmon::envelope::{EventData, ExceptionData, Measurements, Properties};

    use super::*;
    use crate::config::Adaptive;

    fn event(operation: &str) -> Envelope<'static> {
        let mut envelope = Envelope::new(
            SystemTime::UNIX_EPOCH,
            Data::Event(EventData {
                ver: 2,
                name: "e".into(),
                properties: Properties::new(),
                measurements: Measurements::new(),
            }),
        );
        envelope.tags.push(tags::OPERATION_ID, operation.to_owned());
        envelope
    }

    fn exception(operation: &str) -> Envelope<'static> {
        Envelope {
            data: Data::Exception(ExceptionData {
                ver: 2,
                exceptions: Vec::new(),
                severity_level: None,
                problem_id: None,
                properties: Properties::new(),
                measurements: Measurements::new(),
            }),
            ..event(operation)
        }
    }

    /// Trace ids that look random: the hash hardly distinguishes consecutive numbers.
    fn id(number: u64) -> String {
        let spread = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        format!("{spread:032x}")
    }

    #[test]
    fn scores_are_those_of_the_official_sdks() {
        for (id, score) in [
            ("0af7651916cd43dd8448eb211c80319c", 52.7888926),
            ("4bf92f3577b34da6a3ce929d0e0e4736", 33.46),
            ("ffffffffffffffffffffffffffffffff", 99.9613551),
            ("0af7651916cd43dd8448eb2119c3de79", 100.0),
        ] {
            assert!(
                (score_of(id) - score).abs() < 0.005,
                "{id}: {}",
                score_of(id)
            );
        }
        assert_eq!(score_of("ab"), score_of("abababab"));
    }

    #[test]
    fn a_fixed_share_keeps_whole_operations_and_says_its_rate() {
        let sampler = Sampler::new(Sampling::Fixed(30.0), false, Instant::now());
        let mut kept = 0;
        for number in 0..4_000 {
            let id = id(number);
            let (mut one, mut other) = (event(&id), event(&id));
            let is_kept = sampler.keeps(&mut one, Instant::now());
            assert_eq!(sampler.keeps(&mut other, Instant::now()), is_kept);
            assert_eq!(one.sample_rate, is_kept.then_some(25.0));
            kept += u32::from(is_kept);
        }
        assert!((900..1_100).contains(&kept), "{kept}");
    }

    #[test]
    fn failures_are_kept_if_configured_and_sampled_items_are_not_sampled_again() {
        let lost = "ffffffffffffffffffffffffffffffff";
        let now = Instant::now();
        for keep_failures in [false, true] {
            let sampler = Sampler::new(Sampling::Fixed(1.0), keep_failures, now);
            let mut failure = exception(lost);
            assert_eq!(sampler.keeps(&mut failure, now), keep_failures);
            assert_eq!(failure.sample_rate, None);
            let mut sampled = event(lost);
            sampled.sample_rate = Some(50.0);
            assert!(sampler.keeps(&mut sampled, now));
            assert_eq!(sampled.sample_rate, Some(50.0));
        }
    }

    #[test]
    fn a_rate_limit_holds_on_average() {
        let start = Instant::now();
        let sampler = Sampler::new(Sampling::RateLimited(100.0), false, start);
        let mut counted = 0.0;
        let mut kept = 0;
        // 1,000 a second for ten seconds.
        for number in 0..10_000_u64 {
            let now = start + Duration::from_millis(number);
            let mut one = event(&id(number));
            if sampler.keeps(&mut one, now) {
                kept += 1;
                counted += 100.0 / one.sample_rate.unwrap_or(100.0);
            }
        }
        assert!((700..1_300).contains(&kept), "{kept}");
        assert!((8_000.0..12_000.0).contains(&counted), "{counted}");
    }

    #[test]
    fn two_budgets_adapt_apart_after_their_times() {
        let start = Instant::now();
        let budgets = Adaptive {
            max_events_per_second: 5.0,
            max_other_items_per_second: 1_000.0,
        };
        let sampler = Sampler::new(Sampling::Adaptive(budgets), false, start);
        let rate_at = |now: Instant| {
            let mut one = event("00000000000000000000000000000000");
            sampler.keeps(&mut one, now).then_some(one.sample_rate)
        };
        let busy = |from: u64, to: u64| {
            // 50 events and 50 exceptions a second.
            for tick in from * 50..to * 50 {
                let now = start + Duration::from_millis(tick * 20);
                sampler.keeps(&mut event(&format!("{tick:032x}")), now);
                let mut other = exception(&format!("{tick:032x}"));
                assert!(sampler.keeps(&mut other, now));
            }
        };
        busy(0, 119);
        assert_eq!(rate_at(start + Duration::from_secs(119)), Some(None));
        busy(119, 140);
        let Kind::Adaptive { events, .. } = &sampler.kind else {
            panic!()
        };
        let one_of = || events.lock().unwrap().one_of;
        assert!((10.0..=11.0).contains(&one_of()), "{}", one_of());
        // The load is low, but the rate rises only after a quarter of an hour.
        for second in (140..140 + 14 * 60).step_by(15) {
            rate_at(start + Duration::from_secs(second));
        }
        assert!(one_of() > 9.0, "{}", one_of());
        for second in (140 + 15 * 60..140 + 17 * 60).step_by(15) {
            rate_at(start + Duration::from_secs(second));
        }
        assert_eq!(one_of(), 1.0);
    }
}
