//! The calendar: civil dates, parts, boundaries.

use super::{
    MAX_DATETIME, TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, checked,
};

/// Days from 0001-01-01 to 1970-01-01.
const DAYS_TO_UNIX: i64 = 719_162;

/// The parts of a datetime.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    /// Ticks since midnight.
    pub(crate) time: i64,
}

/// A part of a datetime that functions name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Year,
    Quarter,
    Month,
    Week,
    Day,
    DayOfYear,
    Hour,
    Minute,
    Second,
    Millisecond,
    Microsecond,
    Nanosecond,
}

impl Part {
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" | "week_of_year" | "weekofyear" => Self::Week,
            "day" => Self::Day,
            "dayofyear" => Self::DayOfYear,
            "hour" => Self::Hour,
            "minute" => Self::Minute,
            "second" => Self::Second,
            "millisecond" => Self::Millisecond,
            "microsecond" => Self::Microsecond,
            "nanosecond" => Self::Nanosecond,
            _ => return None,
        })
    }
}

impl Civil {
    pub(crate) fn of(ticks: i64) -> Self {
        let days = ticks.div_euclid(TICKS_PER_DAY) - DAYS_TO_UNIX;
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let month = if month_index < 10 {
            month_index + 3
        } else {
            month_index - 9
        };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: day_of_year - (153 * month_index + 2) / 5 + 1,
            time: ticks.rem_euclid(TICKS_PER_DAY),
        }
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The ticks of a date and a time of day in ticks; `None` if the date does not exist.
pub(crate) fn from_civil(year: i64, month: i64, day: i64, time: i64) -> Option<i64> {
    if !(1..=9999).contains(&year)
        || !(1..=12).contains(&month)
        || !(1..=days_in_month(year, month)).contains(&day)
    {
        return None;
    }
    let shifted_year = year - i64::from(month <= 2);
    let era = shifted_year.div_euclid(400);
    let year_of_era = shifted_year.rem_euclid(400);
    let month_index = (month + 9) % 12;
    let day_of_year = (153 * month_index + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468 + DAYS_TO_UNIX;
    checked(days.checked_mul(TICKS_PER_DAY)?.checked_add(time)?)
}

/// Sunday is 0.
pub(crate) fn day_of_week(ticks: i64) -> i64 {
    (ticks.div_euclid(TICKS_PER_DAY) + 1).rem_euclid(7)
}

pub(crate) fn day_of_year(ticks: i64) -> i64 {
    let year = Civil::of(ticks).year;
    let first = from_civil(year, 1, 1, 0).unwrap_or(0);
    (ticks - first) / TICKS_PER_DAY + 1
}

/// The ISO 8601 week: weeks start on Monday, and week 1 contains the first Thursday.
pub(crate) fn iso_week(ticks: i64) -> i64 {
    let from_monday = (day_of_week(ticks) + 6) % 7;
    let thursday = ticks + (3 - from_monday) * TICKS_PER_DAY;
    if thursday > MAX_DATETIME {
        return 52;
    }
    (day_of_year(thursday) - 1) / 7 + 1
}

/// The start of the unit, shifted by `offset` units. Units: day, week (Sunday), month, year.
pub(crate) fn start_of(unit: Part, ticks: i64, offset: i64) -> Option<i64> {
    let civil = Civil::of(ticks);
    let midnight = ticks - civil.time;
    match unit {
        Part::Day => checked(midnight.checked_add(offset.checked_mul(TICKS_PER_DAY)?)?),
        Part::Week => {
            let sunday = midnight - day_of_week(ticks) * TICKS_PER_DAY;
            checked(sunday.checked_add(offset.checked_mul(7 * TICKS_PER_DAY)?)?)
        }
        Part::Month => {
            let months = (civil.year * 12 + civil.month - 1).checked_add(offset)?;
            from_civil(months.div_euclid(12), months.rem_euclid(12) + 1, 1, 0)
        }
        _ => from_civil(civil.year.checked_add(offset)?, 1, 1, 0),
    }
}

/// `datetime_add`: adding months keeps the day, or uses the month's last day.
pub(crate) fn add(unit: Part, amount: i64, ticks: i64) -> Option<i64> {
    let months = match unit {
        Part::Year => Some(amount.checked_mul(12)?),
        Part::Quarter => Some(amount.checked_mul(3)?),
        Part::Month => Some(amount),
        _ => None,
    };
    if let Some(months) = months {
        let civil = Civil::of(ticks);
        let total = (civil.year * 12 + civil.month - 1).checked_add(months)?;
        let (year, month) = (total.div_euclid(12), total.rem_euclid(12) + 1);
        return from_civil(
            year,
            month,
            civil.day.min(days_in_month(year, month)),
            civil.time,
        );
    }
    let delta = match unit {
        Part::Week => amount.checked_mul(7 * TICKS_PER_DAY)?,
        Part::Hour => amount.checked_mul(TICKS_PER_HOUR)?,
        Part::Minute => amount.checked_mul(TICKS_PER_MINUTE)?,
        Part::Second => amount.checked_mul(TICKS_PER_SECOND)?,
        Part::Millisecond => amount.checked_mul(10_000)?,
        Part::Microsecond => amount.checked_mul(10)?,
        Part::Nanosecond => amount.div_euclid(100),
        _ => amount.checked_mul(TICKS_PER_DAY)?,
    };
    checked(ticks.checked_add(delta)?)
}

/// `datetime_diff`: the number of unit boundaries between the two.
pub(crate) fn diff(unit: Part, later: i64, earlier: i64) -> Option<i64> {
    fn index(unit: Part, ticks: i64) -> i64 {
        let civil = Civil::of(ticks);
        match unit {
            Part::Year => civil.year,
            Part::Quarter => civil.year * 4 + (civil.month - 1) / 3,
            Part::Month => civil.year * 12 + civil.month,
            Part::Week => (ticks.div_euclid(TICKS_PER_DAY) + 1).div_euclid(7),
            Part::Day | Part::DayOfYear => ticks.div_euclid(TICKS_PER_DAY),
            Part::Hour => ticks.div_euclid(TICKS_PER_HOUR),
            Part::Minute => ticks.div_euclid(TICKS_PER_MINUTE),
            Part::Second => ticks.div_euclid(TICKS_PER_SECOND),
            Part::Millisecond => ticks.div_euclid(10_000),
            Part::Microsecond => ticks.div_euclid(10),
            Part::Nanosecond => ticks,
        }
    }
    let borders = index(unit, later).checked_sub(index(unit, earlier))?;
    if unit == Part::Nanosecond {
        borders.checked_mul(100)
    } else {
        Some(borders)
    }
}

/// `datetime_part`.
pub(crate) fn part(unit: Part, ticks: i64) -> i64 {
    let civil = Civil::of(ticks);
    let in_second = civil.time % TICKS_PER_SECOND;
    match unit {
        Part::Year => civil.year,
        Part::Quarter => (civil.month - 1) / 3 + 1,
        Part::Month => civil.month,
        Part::Week => iso_week(ticks),
        Part::Day => civil.day,
        Part::DayOfYear => day_of_year(ticks),
        Part::Hour => civil.time / TICKS_PER_HOUR,
        Part::Minute => civil.time / TICKS_PER_MINUTE % 60,
        Part::Second => civil.time / TICKS_PER_SECOND % 60,
        Part::Millisecond => in_second / 10_000,
        Part::Microsecond => in_second / 10,
        Part::Nanosecond => in_second * 100,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_come_back_from_their_ticks() {
        for year in [1, 4, 100, 400, 1970, 2000, 2024, 2100, 9999] {
            for (month, day) in [(1, 1), (2, 28), (3, 1), (12, 31)] {
                let ticks = from_civil(year, month, day, 5).expect("a date");
                let civil = Civil::of(ticks);
                assert_eq!(
                    (civil.year, civil.month, civil.day, civil.time),
                    (year, month, day, 5)
                );
            }
        }
        assert!(from_civil(2023, 2, 29, 0).is_none() && from_civil(10_000, 1, 1, 0).is_none());
        assert_eq!(from_civil(1970, 1, 1, 0), Some(crate::UNIX_EPOCH));
    }

    #[test]
    fn weeks_of_iso_belong_to_the_year_of_their_thursday() {
        let week = |year, month, day| iso_week(from_civil(year, month, day, 0).expect("a date"));
        assert_eq!(
            [
                week(2021, 1, 3),
                week(2021, 1, 4),
                week(2020, 12, 31),
                week(2026, 1, 7)
            ],
            [53, 1, 53, 2]
        );
    }

    #[test]
    fn a_month_added_keeps_within_the_month() {
        let january = from_civil(2024, 1, 31, 7).expect("a date");
        assert_eq!(add(Part::Month, 1, january), from_civil(2024, 2, 29, 7));
        assert_eq!(add(Part::Year, 10_000, january), None);
    }
}
