//! The sample of a system without support.

use crate::metrics::performance::counters::Sample;

/// An empty sample.
pub(super) fn sample() -> Sample {
    Sample::default()
}
