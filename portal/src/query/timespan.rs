//! The parameter `timespan`: an ISO 8601 duration, or two of start, end and duration.

use azmon_kql::UNIX_EPOCH;
use jiff::Timestamp;

/// Ticks of 100 ns.
const SECOND: f64 = 10_000_000.0;

/// Start and end, in ticks; `None` for any other form.
pub(super) fn parse(text: &str, now: i64) -> Option<(i64, i64)> {
    let text = text.trim();
    let Some((first, second)) = text.split_once('/') else {
        return Some((now.checked_sub(duration(text)?)?, now));
    };
    match (instant(first), instant(second)) {
        (Some(from), Some(to)) => Some((from, to)),
        (Some(from), None) => Some((from, from.checked_add(duration(second)?)?)),
        (None, Some(to)) => Some((to.checked_sub(duration(first)?)?, to)),
        (None, None) => None,
    }
}

fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let zoned = text
        .parse::<Timestamp>()
        .ok()
        .or_else(|| format!("{text}Z").parse().ok());
    let midnight = || format!("{text}T00:00:00Z").parse().ok();
    let nanoseconds = zoned.or_else(midnight)?.as_nanosecond();
    i64::try_from(nanoseconds.div_euclid(100))
        .ok()?
        .checked_add(UNIX_EPOCH)
}

/// Parses `P1DT2H3M4.5S` to ticks. A month has 30 days and a year 365, as in the service.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
fn duration(text: &str) -> Option<i64> {
    let text = text.trim().to_ascii_uppercase();
    let body = text.strip_prefix('P')?;
    let (date, time) = body.split_once('T').unwrap_or((body, ""));
    let mut seconds = 0.0;
    for (part, units) in [(date, "YMWD"), (time, "HMS")] {
        let mut rest = part;
        while !rest.is_empty() {
            let end = rest.find(|c: char| c.is_ascii_alphabetic())?;
            let (number, unit) = (rest.get(..end)?.parse::<f64>().ok()?, rest.get(end..=end)?);
            let day = 86_400.0;
            seconds += number
                * match (units, unit) {
                    ("YMWD", "Y") => 365.0 * day,
                    ("YMWD", "M") => 30.0 * day,
                    ("YMWD", "W") => 7.0 * day,
                    ("YMWD", "D") => day,
                    ("HMS", "H") => 3600.0,
                    ("HMS", "M") => 60.0,
                    ("HMS", "S") => 1.0,
                    _ => return None,
                };
            rest = rest.get(end + 1..)?;
        }
    }
    let ticks = (seconds * SECOND).round();
    (body.len() > 1 && (0.0..9e18).contains(&ticks)).then_some(ticks as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_forms_of_a_timespan_are_read() {
        let hour = 36_000_000_000;
        let now = UNIX_EPOCH + 100 * hour;
        assert_eq!(parse("PT1H", now), Some((now - hour, now)));
        assert_eq!(parse("PT3600.0S", now), Some((now - hour, now)));
        assert_eq!(parse("P1DT1H", now), Some((now - 25 * hour, now)));
        assert_eq!(
            parse("1970-01-01T01:00:00Z/1970-01-01T02:00:00Z", now),
            Some((UNIX_EPOCH + hour, UNIX_EPOCH + 2 * hour))
        );
        assert_eq!(
            parse("1970-01-01/PT2H", now),
            Some((UNIX_EPOCH, UNIX_EPOCH + 2 * hour))
        );
        assert_eq!(
            parse("PT1H/1970-01-01T02:00:00", now),
            Some((UNIX_EPOCH + hour, UNIX_EPOCH + 2 * hour))
        );
        for bad in ["", "P", "1h", "PT", "PT1X", "x/y", "P-1D"] {
            assert_eq!(parse(bad, now), None, "{bad}");
        }
    }
}
