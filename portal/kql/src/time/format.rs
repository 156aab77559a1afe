//! Formats datetimes and timespans.

use std::fmt::Write as _;

use super::{Civil, Part, TICKS_PER_DAY, TICKS_PER_SECOND, part};

/// `2026-01-02T03:04:05.0000000Z`.
pub(crate) fn datetime_text(ticks: i64) -> String {
    let civil = Civil::of(ticks);
    let seconds = civil.time / TICKS_PER_SECOND;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:07}Z",
        civil.year,
        civil.month,
        civil.day,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        civil.time % TICKS_PER_SECOND
    )
}

/// `[-][d.]hh:mm:ss[.fffffff]`.
pub(crate) fn timespan_text(ticks: i64) -> String {
    let magnitude = ticks.unsigned_abs();
    let mut text = String::new();
    if ticks < 0 {
        text.push('-');
    }
    let day = TICKS_PER_DAY.unsigned_abs();
    let second = TICKS_PER_SECOND.unsigned_abs();
    if magnitude >= day {
        let _ = write!(text, "{}.", magnitude / day);
    }
    let seconds = magnitude % day / second;
    let _ = write!(
        text,
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
    if !magnitude.is_multiple_of(second) {
        let _ = write!(text, ".{:07}", magnitude % second);
    }
    text
}

/// The fraction of a second in `width` digits, without trailing zeros if `trimmed`.
fn fraction(ticks_in_second: u64, width: usize, trimmed: bool) -> String {
    let digits = format!("{ticks_in_second:07}");
    let digits = &digits[..width.min(7)];
    if trimmed {
        digits.trim_end_matches('0')
    } else {
        digits
    }
    .to_owned()
}

/// Iterates over runs of one letter. The closure writes a run, or returns false for plain text.
fn each_run(format: &str, mut write_run: impl FnMut(char, usize, &mut String) -> bool) -> String {
    let mut out = String::new();
    let mut characters = format.chars().peekable();
    while let Some(character) = characters.next() {
        let mut width = 1;
        while characters.peek() == Some(&character) {
            characters.next();
            width += 1;
        }
        if !write_run(character, width, &mut out) {
            out.extend(std::iter::repeat_n(character, width));
        }
    }
    out
}

pub(crate) fn format_datetime(ticks: i64, format: &str) -> String {
    let number = |unit| part(unit, ticks);
    each_run(format, |letter, width, out| {
        let value = match letter {
            'd' => number(Part::Day),
            'M' => number(Part::Month),
            'H' => number(Part::Hour),
            'h' => (number(Part::Hour) + 11) % 12 + 1,
            'm' => number(Part::Minute),
            's' => number(Part::Second),
            'y' if width <= 2 => number(Part::Year) % 100,
            'y' => number(Part::Year),
            'f' | 'F' => {
                let ticks = Civil::of(ticks).time % TICKS_PER_SECOND;
                out.push_str(&fraction(ticks.unsigned_abs(), width, letter == 'F'));
                return true;
            }
            't' => {
                let half = if number(Part::Hour) < 12 { "AM" } else { "PM" };
                out.push_str(half.get(..width.min(2)).unwrap_or(half));
                return true;
            }
            _ => return false,
        };
        let _ = write!(out, "{value:0width$}");
        true
    })
}

pub(crate) fn format_timespan(ticks: i64, format: &str) -> String {
    let magnitude = ticks.unsigned_abs();
    let seconds = magnitude / TICKS_PER_SECOND.unsigned_abs();
    let text = each_run(format, |letter, width, out| {
        let value = match letter {
            'd' => seconds / 86_400,
            'H' | 'h' => seconds / 3600 % 24,
            'm' => seconds / 60 % 60,
            's' => seconds % 60,
            'f' | 'F' => {
                let ticks = magnitude % TICKS_PER_SECOND.unsigned_abs();
                out.push_str(&fraction(ticks, width, letter == 'F'));
                return true;
            }
            _ => return false,
        };
        let _ = write!(out, "{value:0width$}");
        true
    });
    if ticks < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timespans_show_days_and_fractions_only_if_they_have_them() {
        assert_eq!(timespan_text(0), "00:00:00");
        assert_eq!(timespan_text(-(TICKS_PER_DAY / 2)), "-12:00:00");
        assert_eq!(timespan_text(TICKS_PER_DAY + 1), "1.00:00:00.0000001");
        assert_eq!(timespan_text(i64::MIN), "-10675199.02:48:05.4775808");
    }
}
