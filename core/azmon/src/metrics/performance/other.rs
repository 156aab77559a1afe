//! The sample of a system without support.

use crate::metrics::performance::ProcessSample;
use crate::metrics::performance::counters::Sample;

/// An empty sample.
pub(super) fn sample() -> Sample {
    Sample::default()
}

/// Nothing.
pub(crate) fn process_sample() -> ProcessSample {
    ProcessSample::default()
}
