//! How many samples a stream may send.

use std::time::Duration;

use crate::live_metrics::wire::QuotaInfo;

/// More is never saved up, whatever a server says: samples wait in memory.
const MOST: f64 = 1_000.0;

/// An allowance that grows with time, up to a limit.
#[derive(Debug, Clone, Copy)]
pub struct Quota {
    left: f64,
    max: f64,
    per_second: f64,
    at: Duration,
}

impl Quota {
    /// Makes an allowance with `initial` left at `now`, a monotonic time.
    #[must_use]
    pub fn new(initial: f64, max: f64, per_second: f64, now: Duration) -> Self {
        let max = limited(max);
        Self {
            left: limited(initial).min(max),
            max,
            per_second: limited(per_second),
            at: now,
        }
    }

    /// Those of a stream and a type of telemetry.
    pub(super) fn of_stream(info: Option<&QuotaInfo>, before: Option<Self>, now: Duration) -> Self {
        Self::configured(info, before, now, 3.0, 30.0)
    }

    /// Those of all streams together.
    pub(super) fn of_all(info: Option<&QuotaInfo>, before: Option<Self>, now: Duration) -> Self {
        Self::configured(info, before, now, 30.0, 300.0)
    }

    fn configured(
        info: Option<&QuotaInfo>,
        before: Option<Self>,
        now: Duration,
        initial: f64,
        max: f64,
    ) -> Self {
        let left = before.map(|before| before.left_at(now));
        let left = left.unwrap_or(initial);
        match info {
            Some(info) => Self::new(
                info.initial_quota.unwrap_or(left),
                info.max_quota,
                info.quota_accrual_rate_per_sec,
                now,
            ),
            None => Self::new(left, max, max / 60.0, now),
        }
    }

    /// How many are left at `now`; the fraction is on its way.
    #[must_use]
    pub fn left_at(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        (self.left + passed * self.per_second).min(self.max)
    }

    /// Whether one is left.
    pub(super) fn has_one(&self, now: Duration) -> bool {
        self.left_at(now) >= 1.0
    }

    /// Takes one, if there is one.
    pub fn take(&mut self, now: Duration) -> bool {
        self.left = self.left_at(now);
        self.at = self.at.max(now);
        let is_taken = self.left >= 1.0;
        if is_taken {
            self.left -= 1.0;
        }
        is_taken
    }
}

fn limited(number: f64) -> f64 {
    if number.is_finite() {
        number.clamp(0.0, MOST)
    } else {
        0.0
    }
}
