//! `time`: RFC 3339 in UTC with microseconds. A time without a zone is read as UTC.

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Deserializer, Serializer};

pub(super) fn serialize<S: Serializer>(
    time: &SystemTime,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&written(*time))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<SystemTime, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text)
        .ok_or_else(|| serde::de::Error::custom(format_args!("time {text:?} is not RFC 3339")))
}

/// A time as it is written.
pub(super) fn written(time: SystemTime) -> impl fmt::Display {
    Rfc3339(clamped(time))
}

struct Rfc3339(Timestamp);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.0)
    }
}

/// RFC 3339 and jiff cover the years −9999 to 9999; a `SystemTime` can lie outside.
fn clamped(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or(if time < SystemTime::UNIX_EPOCH {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

fn parse(text: &str) -> Option<SystemTime> {
    let zoned = text.parse::<Timestamp>();
    let timestamp = zoned.or_else(|_| {
        text.parse::<DateTime>()?
            .to_zoned(TimeZone::UTC)
            .map(Timestamp::from)
    });
    timestamp.ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn written(time: SystemTime) -> String {
        super::written(time).to_string()
    }

    #[test]
    fn microseconds_are_written_and_finer_is_cut() {
        let time = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
        assert_eq!(written(time), "2023-11-14T22:13:20.123456Z");
    }

    #[test]
    fn times_before_1970_are_written() {
        let time = SystemTime::UNIX_EPOCH - Duration::from_millis(1_500);
        assert_eq!(written(time), "1969-12-31T23:59:58.500000Z");
    }

    #[test]
    fn times_outside_the_calendar_are_clamped() {
        let seconds = Duration::from_secs(1 << 48);
        assert!(written(SystemTime::UNIX_EPOCH + seconds).starts_with("9999-12-30T"));
        assert!(written(SystemTime::UNIX_EPOCH - seconds).starts_with("-009999-01-02T"));
    }

    #[test]
    fn times_of_all_clients_are_read() {
        let expected = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 5_000_000);
        for text in [
            "2023-11-14T22:13:20.005Z",
            "2023-11-14T22:13:20.005000Z",
            "2023-11-14T22:13:20.005",
            "2023-11-14T23:13:20.005+01:00",
            "2023-11-14 22:13:20.0050000Z",
        ] {
            assert_eq!(parse(text), Some(expected), "{text}");
        }
        assert_eq!(parse("yesterday"), None);
    }
}
