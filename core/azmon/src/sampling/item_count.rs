use std::num::NonZeroU32;

use opentelemetry::trace::TraceId;

use crate::sampling::hash::score;

/// The number of items that a kept item stands for: N, if one of N is kept.
///
/// Azure Monitor divides 100 by the percentage of an item. Only percentages of the form 100/N yield a whole number, so
/// azmon uses no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ItemCount(NonZeroU32);

impl ItemCount {
    /// Everything is kept.
    pub(crate) const ONE: Self = Self(NonZeroU32::MIN);

    /// The count for the largest percentage 100/N that is not above `percent`; `None` if nothing is kept.
    pub(super) fn of_percent(percent: f64) -> Option<Self> {
        Self::rounded_up(100.0 / percent)
    }

    /// The count for the largest share 1/N that is not above `ratio`; `None` if nothing is kept.
    ///
    /// The literal ratio 1/3 means N = 3, although its floating-point value is slightly below a third.
    pub(super) fn of_ratio(ratio: f64) -> Option<Self> {
        let exact = 1.0 / ratio;
        let nearest = exact.round();
        let is_intentional = (exact - nearest).abs() <= nearest * WRITTEN_PRECISION;
        Self::rounded_up(if is_intentional { nearest } else { exact })
    }

    /// The smallest count that is at least `items`; `None` if `items` is infinite, negative or NaN.
    fn rounded_up(items: f64) -> Option<Self> {
        let is_count = items.is_finite() && items >= 0.0;
        // The conversion from a float saturates.
        is_count.then(|| Self(NonZeroU32::new(items.ceil() as u32).unwrap_or(NonZeroU32::MIN)))
    }

    pub(super) fn from_u32(items: u32) -> Option<Self> {
        NonZeroU32::new(items).map(Self)
    }

    pub(super) fn to_u32(self) -> u32 {
        self.0.get()
    }

    /// The share that is kept, in percent.
    pub(crate) fn percent(self) -> f64 {
        100.0 / f64::from(self.0.get())
    }

    /// Whether the sample of one in N contains a trace.
    pub(super) fn keeps(self, trace_id: TraceId) -> bool {
        // A score can be exactly 1, which is not less than 1.
        self == Self::ONE || score(trace_id) < 1.0 / f64::from(self.0.get())
    }
}

/// Maximum relative distance between a ratio and the 1/N that it means.
const WRITTEN_PRECISION: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sampling::golden::{golden, items_of};

    #[test]
    fn percentages_are_rounded_down_as_the_official_sdks_do() {
        for rounding in golden().round_down_to_nearest {
            let count = ItemCount::of_percent(rounding.input).map_or(0, ItemCount::to_u32);
            let expected = items_of(rounding.output);
            assert_eq!(count, expected, "{}", rounding.input);
        }
    }

    #[test]
    fn a_written_ratio_means_the_share_that_it_is_closest_to() {
        for items in 1..=100_000 {
            let count = ItemCount::of_ratio(1.0 / f64::from(items));
            assert_eq!(count, ItemCount::from_u32(items));
        }
        assert_eq!(ItemCount::of_ratio(0.333_333_333_3), ItemCount::from_u32(3));
        assert_eq!(ItemCount::of_ratio(0.3), ItemCount::from_u32(4));
        assert_eq!(ItemCount::of_ratio(0.75), ItemCount::from_u32(2));
        assert_eq!(ItemCount::of_ratio(1e-30), ItemCount::from_u32(u32::MAX));
        for nothing in [0.0, -0.5, f64::NAN] {
            assert_eq!(ItemCount::of_ratio(nothing), None, "{nothing}");
        }
    }

    #[test]
    fn a_score_of_one_is_kept_where_everything_is() {
        let highest = TraceId::from_hex("0af7651916cd43dd8448eb2119c3de79").unwrap();
        assert_eq!(score(highest), 1.0);
        assert!(ItemCount::ONE.keeps(highest));
        assert!(!ItemCount::from_u32(2).unwrap().keeps(highest));
    }

    proptest! {
        #[test]
        fn a_rounded_percentage_is_the_largest_below(percent in 0.001..100.0_f64) {
            let count = ItemCount::of_percent(percent).unwrap();
            prop_assert!(count.percent() <= percent * (1.0 + 1e-12));
            if let Some(larger) = ItemCount::from_u32(count.to_u32() - 1) {
                prop_assert!(larger.percent() > percent);
            }
        }

        #[test]
        fn what_is_kept_at_a_lower_rate_is_kept_at_a_higher_one(
            id in 1..u128::MAX,
            items in 1..1_000_u32,
        ) {
            let trace_id = TraceId::from_bytes(id.to_be_bytes());
            let (lower, higher) = (ItemCount::from_u32(items + 1), ItemCount::from_u32(items));
            prop_assert!(!lower.unwrap().keeps(trace_id) || higher.unwrap().keeps(trace_id));
        }
    }
}
