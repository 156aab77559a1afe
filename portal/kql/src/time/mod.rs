//! Datetimes and timespans in ticks of 100 ns: calendar, parsing and formatting.

mod calendar;
mod format;
mod parse;

pub(crate) use calendar::{
    Civil, Part, add, day_of_week, day_of_year, diff, from_civil, iso_week, part, start_of,
};
pub(crate) use format::{datetime_text, format_datetime, format_timespan, timespan_text};
pub(crate) use parse::{parse_datetime, parse_timespan};

pub(crate) const TICKS_PER_SECOND: i64 = 10_000_000;
pub(crate) const TICKS_PER_MINUTE: i64 = 60 * TICKS_PER_SECOND;
pub(crate) const TICKS_PER_HOUR: i64 = 60 * TICKS_PER_MINUTE;
pub(crate) const TICKS_PER_DAY: i64 = 24 * TICKS_PER_HOUR;

/// 1970-01-01 in ticks since 0001-01-01.
pub const UNIX_EPOCH: i64 = 621_355_968_000_000_000;

/// 9999-12-31T23:59:59.9999999Z.
pub(crate) const MAX_DATETIME: i64 = 3_155_378_975_999_999_999;

/// The ticks, if they are in the years 1 to 9999.
pub(crate) fn checked(ticks: i64) -> Option<i64> {
    (0..=MAX_DATETIME).contains(&ticks).then_some(ticks)
}
