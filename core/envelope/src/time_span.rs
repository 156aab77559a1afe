use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The longest duration that the service accepts: just below 1000 days.
pub const MAX_TIME_SPAN: Duration = Duration::new(86_400_000 - 1, 999_999_900);

/// A duration on the wire: `[d.]hh:mm:ss.fffffff`, in steps of 100 ns.
///
/// Digits beyond 100 ns are cut. The service refuses a duration of 1000 days or more, so such a duration is written as
/// [`MAX_TIME_SPAN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TimeSpan(pub Duration);

impl fmt::Display for TimeSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duration = self.0.min(MAX_TIME_SPAN);
        let seconds = duration.as_secs();
        let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
        let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
        if days > 0 {
            write!(f, "{days}.")?;
        }
        let mut text = *b"00:00:00.0000000";
        put(&mut text[..2], hours);
        put(&mut text[3..5], minutes);
        put(&mut text[6..8], seconds);
        put(&mut text[9..], u64::from(duration.subsec_nanos() / 100));
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

/// Writes the last digits of a number, as many as `room` holds; `fmt` takes several times as long.
fn put(room: &mut [u8], mut number: u64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The text is not a duration of the form `[d.]hh:mm:ss[.fffffff]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseTimeSpanError(String);

impl fmt::Display for ParseTimeSpanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(text) = self;
        write!(
            f,
            "duration {text:?} is not of the form [d.]hh:mm:ss[.fffffff]"
        )
    }
}

impl std::error::Error for ParseTimeSpanError {}

impl FromStr for TimeSpan {
    type Err = ParseTimeSpanError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text)
            .map(Self)
            .ok_or_else(|| ParseTimeSpanError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Duration> {
    let (hours, rest) = text.trim().split_once(':')?;
    let (minutes, seconds) = rest.split_once(':')?;
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let seconds = digits(days)?
        .checked_mul(86_400)?
        .checked_add(digits(hours)?.checked_mul(3_600)?)?
        .checked_add(digits(minutes)?.checked_mul(60)?)?
        .checked_add(digits(seconds)?)?;
    digits(fraction)?;
    let nanoseconds = format!("{fraction:0<9.9}").parse().ok()?;
    Some(Duration::new(seconds, nanoseconds))
}

/// Parses digits only: `u64::from_str` would accept a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

impl Serialize for TimeSpan {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TimeSpan {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_of_100_nanoseconds_are_written() {
        assert_eq!(
            TimeSpan(Duration::from_nanos(125_000_150)).to_string(),
            "00:00:00.1250001"
        );
        assert_eq!(TimeSpan(Duration::ZERO).to_string(), "00:00:00.0000000");
        assert_eq!(
            TimeSpan(Duration::from_secs(273_600)).to_string(),
            "3.04:00:00.0000000"
        );
    }

    #[test]
    fn a_thousand_days_are_clamped_to_the_limit_of_the_service() {
        for duration in [Duration::from_secs(86_400_000), Duration::MAX] {
            assert_eq!(TimeSpan(duration).to_string(), "999.23:59:59.9999999");
        }
    }

    #[test]
    fn forms_of_all_clients_are_read() {
        for (text, milliseconds) in [
            ("0.00:00:00.125", 125),
            ("00:00:00.125", 125),
            ("00:00:00.1250000", 125),
            ("1.02:03:04.5", 93_784_500),
            ("00:00:10", 10_000),
        ] {
            assert_eq!(
                text.parse(),
                Ok(TimeSpan(Duration::from_millis(milliseconds))),
                "{text}"
            );
        }
    }

    #[test]
    fn texts_that_are_not_durations_are_refused_by_name() {
        for text in [
            "",
            "12",
            "1:2",
            "a.00:00:00",
            "-1.00:00:00",
            "00:00:00.+1",
            "00:00:0é",
        ] {
            let error = text.parse::<TimeSpan>().unwrap_err().to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
        }
    }

    #[test]
    fn written_durations_are_read() {
        for nanoseconds in [
            0,
            100,
            999_999_900,
            86_400_000_000_000,
            86_399_999_999_999_999_900,
        ] {
            let span = TimeSpan(Duration::from_nanos_u128(nanoseconds));
            assert_eq!(
                span.to_string().parse(),
                Ok(TimeSpan(span.0.min(MAX_TIME_SPAN)))
            );
        }
    }
}
