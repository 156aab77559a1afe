use std::sync::Arc;

use crate::sampling::item_count::ItemCount;
use crate::sampling::rate_limiter::RateLimiter;

/// At which rate new traces are kept; `None` is nothing.
#[derive(Debug, Clone)]
pub(super) enum Rate {
    Fixed(Option<ItemCount>),
    Limited(Arc<RateLimiter>),
}

impl Rate {
    /// A share from 0 to 1. What is outside is the nearer end, and no number is everything.
    pub(super) fn fixed(ratio: f64) -> Self {
        let ratio = if ratio.is_nan() { 1.0 } else { ratio };
        Self::Fixed(ItemCount::of_ratio(ratio.clamp(0.0, 1.0)))
    }

    /// Traces a second. What is negative, or no number, is none.
    pub(super) fn limited(traces_per_second: f64) -> Self {
        let target = traces_per_second.max(0.0);
        Self::Limited(Arc::new(RateLimiter::new(target)))
    }

    #[cfg(test)]
    pub(super) fn limited_by(traces_per_second: f64, clock: super::rate_limiter::Clock) -> Self {
        Self::Limited(Arc::new(RateLimiter::with_clock(traces_per_second, clock)))
    }

    /// The rate of a trace that begins now.
    pub(super) fn of_new_trace(&self) -> Option<ItemCount> {
        match self {
            Self::Fixed(rate) => *rate,
            Self::Limited(limiter) => limiter.next(),
        }
    }

    /// What a child is taken to stand for whose parent was kept at a rate that is not known any more.
    pub(super) fn presumed(&self) -> ItemCount {
        match self {
            Self::Fixed(rate) => *rate,
            Self::Limited(limiter) => limiter.present(),
        }
        .unwrap_or(ItemCount::ONE)
    }

    /// What a span stands for that another service decided to keep: services that keep a fixed share are
    /// taken to keep the same; a limit says nothing about another service.
    pub(super) fn of_remote_parent(&self) -> ItemCount {
        match self {
            Self::Fixed(rate) => rate.unwrap_or(ItemCount::ONE),
            Self::Limited(_) => ItemCount::ONE,
        }
    }

    pub(super) fn keeps_everything(&self) -> bool {
        matches!(self, Self::Fixed(Some(ItemCount::ONE)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_outside_are_the_nearer_end() {
        for (ratio, items) in [
            (0.25, 4),
            (1.0, 1),
            (7.0, 1),
            (f64::INFINITY, 1),
            (f64::NAN, 1),
            (0.0, 0),
            (-0.0, 0),
            (-3.0, 0),
        ] {
            let Rate::Fixed(rate) = Rate::fixed(ratio) else {
                panic!("{ratio}")
            };
            assert_eq!(rate, ItemCount::from_u32(items), "{ratio}");
        }
    }

    #[test]
    fn a_limit_that_is_none_keeps_nothing_and_an_endless_one_everything() {
        for (limit, expected) in [
            (0.0, None),
            (-1.0, None),
            (f64::NAN, None),
            (f64::INFINITY, Some(ItemCount::ONE)),
        ] {
            let rate = Rate::limited(limit);
            for _ in 0..100 {
                assert_eq!(rate.of_new_trace(), expected, "{limit}");
            }
        }
    }
}
