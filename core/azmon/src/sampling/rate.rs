use std::sync::Arc;

use crate::sampling::item_count::ItemCount;
use crate::sampling::rate_limiter::RateLimiter;

/// The sampling rate of new traces; `None` keeps nothing.
#[derive(Debug, Clone)]
pub(super) enum Rate {
    Fixed(Option<ItemCount>),
    Limited(Arc<RateLimiter>),
}

impl Rate {
    /// A share from 0 to 1. Out-of-range values are clamped; NaN means 1.
    pub(super) fn fixed(ratio: f64) -> Self {
        let ratio = if ratio.is_nan() { 1.0 } else { ratio };
        Self::Fixed(ItemCount::of_ratio(ratio.clamp(0.0, 1.0)))
    }

    /// Traces per second. A negative number or NaN keeps none.
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

    /// The presumed rate of a child whose parent was kept at a forgotten rate.
    pub(super) fn presumed(&self) -> ItemCount {
        match self {
            Self::Fixed(rate) => *rate,
            Self::Limited(limiter) => limiter.present(),
        }
        .unwrap_or(ItemCount::ONE)
    }

    /// The rate of a span that another service decided to keep. Services with a fixed share are presumed to have the
    /// same one; a limit says nothing about another service.
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
