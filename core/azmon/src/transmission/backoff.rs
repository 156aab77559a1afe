//! The pause of a batch that failed.

use std::time::Duration;

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// The pause after `attempts` failed attempts: 1 s, doubled by each attempt up to an hour. `random`, between 0 and 1,
/// shortens it by up to a half.
pub(super) fn pause(attempts: u32, random: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(16));
    doubled
        .min(LONGEST_PAUSE)
        .mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds = |attempts| pause(attempts, 0.0).as_secs();
        let pauses: Vec<_> = (1..=14).map(seconds).collect();
        let expected = [
            1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 3_600, 3_600,
        ];
        assert_eq!(pauses, expected);
        assert_eq!(pause(u32::MAX, 1.0), Duration::from_secs(1_800));
    }
}
