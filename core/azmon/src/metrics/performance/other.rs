//! A system that is not asked.

use crate::metrics::performance::ProcessSample;
use crate::metrics::performance::counters::Sample;

/// Nothing.
pub(super) fn sample() -> Sample {
    Sample::default()
}

/// Nothing.
pub(crate) fn process_sample() -> ProcessSample {
    ProcessSample::default()
}
