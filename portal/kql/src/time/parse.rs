//! Parses datetimes and timespans.

use super::{
    TICKS_PER_DAY, TICKS_PER_HOUR, TICKS_PER_MINUTE, TICKS_PER_SECOND, checked, from_civil,
};

/// The ticks of a unit in a timespan literal, such as `min`.
fn unit_ticks(unit: &str) -> Option<i64> {
    Some(match unit {
        "d" | "day" | "days" => TICKS_PER_DAY,
        "h" | "hr" | "hrs" | "hour" | "hours" => TICKS_PER_HOUR,
        "m" | "min" | "minute" | "minutes" => TICKS_PER_MINUTE,
        "s" | "sec" | "second" | "seconds" => TICKS_PER_SECOND,
        "ms" | "milli" | "millis" | "millisec" | "millisecond" | "milliseconds" => 10_000,
        "micro" | "micros" | "microsec" | "microsecond" | "microseconds" => 10,
        "tick" | "ticks" => 1,
        _ => return None,
    })
}

fn is_nanoseconds(unit: &str) -> bool {
    matches!(
        unit,
        "nano" | "nanos" | "nanosec" | "nanosecond" | "nanoseconds"
    )
}

/// Parses `1.5h`, `15 seconds`, `[-][d.]hh:mm[:ss[.fffffff]]` or a number of days.
pub(crate) fn parse_timespan(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, body) = match text.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let ticks = if body.contains(':') {
        clock(body)?
    } else {
        amount(body)?
    };
    if negative {
        ticks.checked_neg()
    } else {
        Some(ticks)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before"
)]
fn amount(text: &str) -> Option<i64> {
    let split = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = (text.get(..split)?, text.get(split..)?.trim());
    if unit.is_empty() {
        return number.parse::<i64>().ok()?.checked_mul(TICKS_PER_DAY);
    }
    if is_nanoseconds(unit) {
        return Some((number.parse::<f64>().ok()? / 100.0) as i64);
    }
    let unit = unit_ticks(unit)?;
    if let Ok(whole) = number.parse::<i64>() {
        return whole.checked_mul(unit);
    }
    let ticks = (number.parse::<f64>().ok()? * unit_as_real(unit)).round();
    (ticks.abs() < 9.2e18).then_some(ticks as i64)
}

#[expect(clippy::cast_precision_loss, reason = "units are small")]
fn unit_as_real(unit: i64) -> f64 {
    unit as f64
}

fn clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let (days, hours) = {
        let first = parts.next()?;
        match first.split_once('.') {
            Some((days, hours)) => (number(days)?, number(hours)?),
            None => (0, number(first)?),
        }
    };
    let minutes = number(parts.next()?)?;
    let seconds = match parts.next() {
        Some(seconds) => seconds_ticks(seconds)?,
        None => 0,
    };
    if parts.next().is_some() || hours > 23 || minutes > 59 || seconds >= TICKS_PER_MINUTE {
        return None;
    }
    days.checked_mul(TICKS_PER_DAY)?
        .checked_add(hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE + seconds)
}

fn number(text: &str) -> Option<i64> {
    let plain = (1..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// `05.1234567` in ticks; further digits are dropped.
fn seconds_ticks(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.get(..7).unwrap_or(fraction);
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ticks: i64 = if fraction.is_empty() {
        0
    } else {
        format!("{fraction:0<7}").parse().ok()?
    };
    Some(number(whole)? * TICKS_PER_SECOND + ticks)
}

/// Parses ISO 8601, `MM/DD/YYYY`, RFC 822 and RFC 850 texts; without a zone they are UTC.
pub(crate) fn parse_datetime(text: &str) -> Option<i64> {
    const LONGEST: usize = 64;

    let text = text.trim();
    if text.is_empty() || text.len() > LONGEST || !text.is_ascii() {
        return None;
    }
    iso(text).or_else(|| slashes(text)).or_else(|| rfc(text))
}

fn iso(text: &str) -> Option<i64> {
    let date_end = text.find(['T', 't', ' ']).unwrap_or(text.len());
    let (date, rest) = text.split_at(date_end);
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?;
    let month = parts.next().map_or(Some(1), number)?;
    let day = parts.next().map_or(Some(1), number)?;
    if parts.next().is_some() {
        return None;
    }
    let rest = rest.get(1..).unwrap_or_default();
    let (time, zone) = time_and_zone(rest)?;
    checked(
        from_civil(number(year)?, month, day, 0)?
            .checked_add(time)?
            .checked_sub(zone)?,
    )
}

fn slashes(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(' ').unwrap_or((text, ""));
    let mut parts = date.split('/');
    let (month, day, year) = (
        number(parts.next()?)?,
        number(parts.next()?)?,
        parts.next()?,
    );
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    let (time, zone) = time_and_zone(rest)?;
    checked(
        from_civil(number(year)?, month, day, 0)?
            .checked_add(time)?
            .checked_sub(zone)?,
    )
}

/// `Sat, 8 Nov 14 15:05:02 GMT`, `8 Nov 2014 15:05`, `Saturday, 08-Nov-14 15:05:02 GMT`.
fn rfc(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ];
    let text = text.split_once(',').map_or(text, |(_, rest)| rest).trim();
    let mut parts = text.splitn(3, [' ', '-']);
    let day = number(parts.next()?)?;
    let month = parts.next()?.to_ascii_lowercase();
    let month = MONTHS
        .iter()
        .position(|name| month.get(..3) == Some(name))?;
    let rest = parts.next()?;
    let (year, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let year = match (year.len(), number(year)?) {
        (2, short) if short < 50 => 2000 + short,
        (2, short) => 1900 + short,
        (4, long) => long,
        _ => return None,
    };
    let (time, zone) = time_and_zone(rest)?;
    let month = i64::try_from(month).ok()? + 1;
    checked(
        from_civil(year, month, day, 0)?
            .checked_add(time)?
            .checked_sub(zone)?,
    )
}

/// Ticks since midnight, and the ticks of the zone's offset.
fn time_and_zone(text: &str) -> Option<(i64, i64)> {
    let text = text.trim();
    if text.is_empty() {
        return Some((0, 0));
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')
        .unwrap_or(text.len());
    let (clock, rest) = text.split_at(end);
    let mut rest = rest.trim();
    let mut parts = clock.split(':');
    let mut hours = number(parts.next()?)?;
    let minutes = parts.next().map_or(Some(0), number)?;
    let seconds = parts.next().map_or(Some(0), seconds_ticks)?;
    if parts.next().is_some() || minutes > 59 || seconds >= TICKS_PER_MINUTE {
        return None;
    }
    let upper = rest.to_ascii_uppercase();
    if upper.starts_with("AM") || upper.starts_with("PM") {
        if !(1..=12).contains(&hours) {
            return None;
        }
        hours = hours % 12 + if upper.starts_with('P') { 12 } else { 0 };
        rest = rest.get(2..)?.trim();
    }
    if hours > 24 || (hours == 24 && (minutes > 0 || seconds > 0)) {
        return None;
    }
    let ticks = hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE + seconds;
    Some((ticks, zone(rest)?))
}

fn zone(text: &str) -> Option<i64> {
    match text.to_ascii_uppercase().as_str() {
        "" | "Z" | "GMT" | "UTC" | "UT" => return Some(0),
        "EST" => return Some(-5 * TICKS_PER_HOUR),
        "EDT" => return Some(-4 * TICKS_PER_HOUR),
        "CST" => return Some(-6 * TICKS_PER_HOUR),
        "CDT" => return Some(-5 * TICKS_PER_HOUR),
        "MST" => return Some(-7 * TICKS_PER_HOUR),
        "MDT" => return Some(-6 * TICKS_PER_HOUR),
        "PST" => return Some(-8 * TICKS_PER_HOUR),
        "PDT" => return Some(-7 * TICKS_PER_HOUR),
        _ => {}
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) => (number(hours)?, number(minutes)?),
        None if digits.len() == 4 => (number(digits.get(..2)?)?, number(digits.get(2..)?)?),
        None => (number(digits)?, 0),
    };
    (hours <= 14 && minutes < 60)
        .then(|| sign * (hours * TICKS_PER_HOUR + minutes * TICKS_PER_MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::datetime_text;

    #[test]
    fn datetimes_of_all_accepted_forms_are_read() {
        for (text, expected) in [
            ("2026-01-02", "2026-01-02T00:00:00.0000000Z"),
            ("1970-5-12", "1970-05-12T00:00:00.0000000Z"),
            ("2017-10-29 00:00", "2017-10-29T00:00:00.0000000Z"),
            (
                "2026-01-02T03:04:05.1234567Z",
                "2026-01-02T03:04:05.1234567Z",
            ),
            ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.0000000Z"),
            ("02/17/2016 08:40:01", "2016-02-17T08:40:01.0000000Z"),
            ("2/7/2016 8:40:01 PM", "2016-02-07T20:40:01.0000000Z"),
            ("Sat, 8 Nov 14 15:05:02 GMT", "2014-11-08T15:05:02.0000000Z"),
            ("8 Nov 2014 15:05", "2014-11-08T15:05:00.0000000Z"),
            (
                "Saturday, 08-Nov-14 15:05:02 GMT",
                "2014-11-08T15:05:02.0000000Z",
            ),
        ] {
            assert_eq!(
                parse_datetime(text).map(datetime_text).as_deref(),
                Some(expected),
                "{text}"
            );
        }
        for bad in [
            "",
            "nonValid",
            "2026-13-01",
            "12",
            "2026-01-02T25:00",
            "2026-01-02x",
        ] {
            assert!(parse_datetime(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn timespans_of_all_accepted_forms_are_read() {
        for (text, seconds) in [
            ("1.5h", 5400),
            ("15 seconds", 15),
            ("1.02:03:04", 93_784),
            ("0.00:03:00", 180),
            ("-00:01", -60),
            ("2", 172_800),
            ("25min", 1500),
        ] {
            assert_eq!(
                parse_timespan(text),
                Some(seconds * TICKS_PER_SECOND),
                "{text}"
            );
        }
        for bad in ["", "x", "1w", "24:00:00", "1:99", "99999999999d"] {
            assert!(parse_timespan(bad).is_none(), "{bad}");
        }
    }
}
