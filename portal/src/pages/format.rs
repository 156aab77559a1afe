//! Numbers and times as people read them.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A moment in UTC, split so that the date can be shown less loudly.
#[derive(Debug, PartialEq)]
pub(super) struct Moment {
    pub(super) date: String,
    pub(super) time: String,
    /// RFC 3339, for machines.
    pub(super) exact: String,
}

impl Moment {
    pub(super) fn new(time: SystemTime) -> Self {
        let timestamp = Timestamp::try_from(time).unwrap_or_default();
        let civil = timestamp.to_zoned(TimeZone::UTC);
        Self {
            date: civil.strftime("%Y-%m-%d").to_string(),
            time: civil.strftime("%H:%M:%S.%3f").to_string(),
            exact: format!("{timestamp:.6}"),
        }
    }
}

/// Three significant digits and a unit, such as `0.42 ms`, `12.3 ms`, `1.5 s` or `2 min 5 s`.
pub(super) fn duration(duration: Duration) -> String {
    let milliseconds = duration.as_secs_f64() * 1_000.0;
    match milliseconds {
        0.0..9.995 => format!("{milliseconds:.2} ms"),
        9.995..99.95 => format!("{milliseconds:.1} ms"),
        99.95..999.5 => format!("{milliseconds:.0} ms"),
        999.5..60_000.0 => format!("{:.2} s", duration.as_secs_f64()),
        _ => long_duration(duration.as_secs()),
    }
}

fn long_duration(seconds: u64) -> String {
    match seconds {
        0..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// A number with a comma between thousands.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number of things: `1 item`, `2 items`.
pub(super) fn counted(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", count(number as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_that_suits_them() {
        for (microseconds, text) in [
            (0, "0.00 ms"),
            (420, "0.42 ms"),
            (12_345, "12.3 ms"),
            (123_456, "123 ms"),
            (999_499, "999 ms"),
            (999_999, "1.00 s"),
            (1_500_000, "1.50 s"),
            (59_999_000, "60.00 s"),
            (125_000_000, "2 min 5 s"),
            (7_320_000_000, "2 h 2 min"),
            (90_000_000_000, "1 d 1 h"),
        ] {
            assert_eq!(duration(Duration::from_micros(microseconds)), text);
        }
    }

    #[test]
    fn moments_are_in_utc() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
        let moment = Moment::new(time);
        assert_eq!(
            (moment.date.as_str(), moment.time.as_str()),
            ("2023-11-14", "22:13:20.123")
        );
        assert_eq!(moment.exact, "2023-11-14T22:13:20.123456Z");
    }

    #[test]
    fn a_time_that_no_calendar_has_is_shown_nevertheless() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 48);
        assert!(!Moment::new(far).date.is_empty());
    }

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(count(number), text);
        }
        assert_eq!(counted(1, "item"), "1 item");
        assert_eq!(counted(1_000, "item"), "1,000 items");
    }
}
