//! Durations of filters: the text of a .NET `TimeSpan`, and ISO 8601 for samples.

use std::time::Duration;

const TICKS_PER_SECOND: i64 = 10_000_000;

/// Reads `[-][d.]hh:mm[:ss[.fffffff]]`, or whole days, in ticks of 100 ns.
#[must_use]
pub fn parse_ticks(text: &str) -> Option<i64> {
    let text = text.trim();
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let ticks = match text.split_once(':') {
        None => number(text)?.checked_mul(86_400 * TICKS_PER_SECOND)?,
        Some((hours, rest)) => {
            let (days, hours) = match hours.split_once('.') {
                Some((days, hours)) => (number(days)?, hours),
                None => (0, hours),
            };
            let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
            let (seconds, fraction) = match seconds.split_once('.') {
                Some((seconds, fraction)) => (seconds, fraction_ticks(fraction)?),
                None => (seconds, 0),
            };
            let whole = days
                .checked_mul(24)?
                .checked_add(below(hours, 24)?)?
                .checked_mul(60)?
                .checked_add(below(minutes, 60)?)?
                .checked_mul(60)?
                .checked_add(below(seconds, 60)?)?;
            whole.checked_mul(TICKS_PER_SECOND)?.checked_add(fraction)?
        }
    };
    Some(if is_negative { -ticks } else { ticks })
}

/// Writes `PT0.1234567S`.
#[must_use]
pub fn iso8601(duration: Duration) -> String {
    let ticks = duration.subsec_nanos() / 100;
    if ticks == 0 {
        format!("PT{}S", duration.as_secs())
    } else {
        let text = format!("PT{}.{ticks:07}", duration.as_secs());
        format!("{}S", text.trim_end_matches('0'))
    }
}

pub(super) fn ticks_of(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos() / 100).unwrap_or(i64::MAX)
}

fn below(text: &str, limit: i64) -> Option<i64> {
    number(text).filter(|number| *number < limit)
}

fn fraction_ticks(text: &str) -> Option<i64> {
    let digits = u32::try_from(text.len())
        .ok()
        .filter(|digits| (1..=7).contains(digits))?;
    number(text)?.checked_mul(10_i64.pow(7 - digits))
}

/// `i64::from_str` would take a sign.
fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_of_a_time_span_are_read_and_no_others() {
        for (text, ticks) in [
            ("-00:00:01", Some(-TICKS_PER_SECOND)),
            ("1.02:03", Some((26 * 60 + 3) * 60 * TICKS_PER_SECOND)),
            ("00:00:00.5", Some(TICKS_PER_SECOND / 2)),
            ("24:00:00", None),
            ("00:60:00", None),
            ("00:00:60", None),
            ("1.02", None),
            ("00:00:00.12345678", None),
            ("00:00:00.", None),
            (":00", None),
            ("+1", None),
            ("99999999999999", None),
            ("١", None),
        ] {
            assert_eq!(parse_ticks(text), ticks, "{text:?}");
        }
    }

    #[test]
    fn a_sample_says_its_duration_as_iso_8601() {
        for (nanoseconds, text) in [
            (0, "PT0S"),
            (123_456_700, "PT0.1234567S"),
            (1_500_000_000, "PT1.5S"),
            (61_000_000_000, "PT61S"),
        ] {
            assert_eq!(iso8601(Duration::from_nanos(nanoseconds)), text);
        }
    }
}
