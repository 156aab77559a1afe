//! A line of JSON, written in parts.

use std::fmt::Display;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::envelope::written_time;

/// A line that is appended to others. Writing to memory never fails.
#[derive(Debug)]
pub(crate) struct JsonLine<'a>(&'a mut Vec<u8>);

/// The second of the last line, since many lines share a second.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    second: Option<u64>,
    /// The text of the second, up to the point before the microseconds.
    text: String,
}

/// A second in the year 9892. Later times take the general path, since times near the year 10000 are clamped.
const FAR: u64 = 250_000_000_000;
/// The length of a time up to the microseconds, in the years before that.
const TO_THE_SECOND: usize = "1970-01-01T00:00:00.".len();

impl<'a> JsonLine<'a> {
    pub(crate) fn new(to: &'a mut Vec<u8>) -> Self {
        Self(to)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether a text was appended since the line had this length.
    pub(super) fn is_text_since(&self, length: usize) -> bool {
        self.0.get(length) == Some(&b'"')
    }

    /// Appends text that is JSON.
    pub(crate) fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    /// Appends a text with its quotes.
    pub(crate) fn text(&mut self, text: &str) {
        self.raw("\"");
        self.inner(text);
        self.raw("\"");
    }

    /// Appends a text without quotes.
    pub(crate) fn inner(&mut self, text: &str) {
        if has_escaped(text.as_bytes()) {
            self.escaped(text);
        } else {
            self.raw(text);
        }
    }

    #[cold]
    fn escaped(&mut self, text: &str) {
        let json = serde_json::to_string(text).unwrap_or_default();
        let inner = json
            .strip_prefix('"')
            .and_then(|json| json.strip_suffix('"'));
        self.raw(inner.unwrap_or_default());
    }

    /// Appends bytes as lower-case hexadecimal digits.
    pub(crate) fn hex<const N: usize>(&mut self, bytes: [u8; N]) {
        self.0.extend_from_slice(hex_digits(bytes).as_flattened());
    }

    pub(crate) fn integer(&mut self, number: impl itoa::Integer) {
        self.raw(itoa::Buffer::new().format(number));
    }

    pub(crate) fn float(&mut self, number: f64) {
        let _ = serde_json::to_writer(&mut *self.0, &number);
    }

    /// Appends a text that needs no escapes.
    pub(crate) fn display(&mut self, text: impl Display) {
        let _ = write!(self.0, "{text}");
    }

    /// Appends a time in the form of envelopes.
    pub(crate) fn time(&mut self, time: SystemTime, clock: &mut Clock) {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        if clock.second != Some(since.as_secs()) || time < UNIX_EPOCH {
            let text = written_time(time).to_string();
            self.raw(&text);
            clock.keep(time, since.as_secs(), text);
            return;
        }
        self.raw(&clock.text);
        let mut digits = *b"000000Z";
        let mut rest = since.subsec_micros();
        for digit in digits.iter_mut().rev().skip(1) {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        self.0.extend_from_slice(&digits);
    }
}

/// Whether JSON escapes any of the bytes.
fn has_escaped(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    // Without a branch for each word, so that the compiler can test many at once.
    let any = |so_far, word: &[u8; 8]| so_far | escaped_in(u64::from_le_bytes(*word));
    let found = words.iter().fold(0, any);
    let found = match bytes.last_chunk() {
        // Overlaps the last word.
        Some(last) => any(found, last),
        None => {
            let shift = |word, byte: &u8| word << 8 | u64::from(*byte);
            escaped_in(rest.iter().fold(WITHOUT_ESCAPES, shift))
        }
    };
    found != 0
}

/// Eight bytes that are not escaped.
const WITHOUT_ESCAPES: u64 = u64::from_le_bytes([b' '; 8]);

/// Not 0 if JSON escapes any of the eight bytes: a control character, a quotation mark or a backslash.
const fn escaped_in(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGH: u64 = u64::from_le_bytes([0x80; 8]);
    const fn below(word: u64, limit: u8) -> u64 {
        word.wrapping_sub(ONES * limit as u64) & !word & HIGH
    }
    below(word, b' ')
        | below(word ^ (ONES * b'"' as u64), 1)
        | below(word ^ (ONES * b'\\' as u64), 1)
}

/// The two lower-case hexadecimal digits of each byte.
pub(crate) fn hex_digits<const N: usize>(bytes: [u8; N]) -> [[u8; 2]; N] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.map(|byte| {
        [
            DIGITS[usize::from(byte >> 4)],
            DIGITS[usize::from(byte & 15)],
        ]
    })
}

impl Clock {
    fn keep(&mut self, time: SystemTime, second: u64, mut text: String) {
        let is_usual = time >= UNIX_EPOCH && second < FAR;
        self.second = is_usual.then_some(second);
        text.truncate(TO_THE_SECOND);
        self.text = text;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn written(write: impl FnOnce(&mut JsonLine<'_>)) -> String {
        let mut bytes = Vec::new();
        write(&mut JsonLine::new(&mut bytes));
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn texts_are_escaped_as_serde_does() {
        for text in [
            "",
            "plain",
            "世界 🦀",
            "a\"b",
            "\\",
            "a\nb\u{1}\u{7f}",
            "\u{1f}",
        ] {
            let expected = serde_json::to_string(text).unwrap();
            assert_eq!(written(|line| line.text(text)), expected);
        }
    }

    #[test]
    fn an_escaped_byte_is_found_at_every_place_among_any_others() {
        for byte in 0..=u8::MAX {
            let is_escaped = byte < b' ' || byte == b'"' || byte == b'\\';
            for length in 1..40 {
                for place in 0..length {
                    for other in [b' ', b'a', 0x7f, 0x80, 0xff] {
                        let mut bytes = vec![other; length];
                        bytes[place] = byte;
                        assert_eq!(has_escaped(&bytes), is_escaped, "{bytes:?}");
                    }
                }
            }
        }
        assert!(!has_escaped(b""));
    }

    #[test]
    fn times_are_those_of_envelopes_after_any_other_time() {
        let mut clock = Clock::default();
        let year = 31_556_952;
        for (seconds, nanoseconds) in [
            (0, 0),
            (0, 999_999_999),
            (1_700_000_000, 123_456_789),
            (1_700_000_000, 1_000),
            (1_700_000_001, 999),
            (8_100 * year, 1),
            (8_100 * year, 2_000),
            (1_700_000_000, 999_999_999),
        ] {
            let time = UNIX_EPOCH + Duration::new(seconds, nanoseconds);
            let expected = written_time(time).to_string();
            assert_eq!(written(|line| line.time(time, &mut clock)), expected);
        }
        let before = UNIX_EPOCH - Duration::from_millis(5);
        let expected = written_time(before).to_string();
        for _ in 0..2 {
            assert_eq!(written(|line| line.time(before, &mut clock)), expected);
        }
    }
}
