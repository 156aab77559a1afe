use opentelemetry::trace::{SpanId, TraceId};

/// The length of a `traceparent` of version 00.
pub(super) const LENGTH: usize = 55;

const SAMPLED: u8 = 0b01;
const RANDOM: u8 = 0b10;

/// The fields of a valid `traceparent` header.
///
/// Other flags are not propagated, as section 3.2.2.5 requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceParent {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) sampled: bool,
    pub(super) random: bool,
}

impl TraceParent {
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        let (version, rest) = trim(header).split_first_chunk()?;
        let (trace_high, rest) = rest.strip_prefix(b"-")?.split_first_chunk()?;
        let (trace_low, rest) = rest.split_first_chunk()?;
        let (span_id, rest) = rest.strip_prefix(b"-")?.split_first_chunk()?;
        let (flags, more) = rest.strip_prefix(b"-")?.split_first_chunk()?;
        match (two_digits(*version)?, more.first()) {
            (0xff, _) | (0, Some(_)) => return None,
            (_, None | Some(b'-')) => {}
            (_, Some(_)) => return None,
        }
        let flags = two_digits(*flags)?;
        let trace_id = u128::from(sixteen_digits(*trace_high)?) << 64;
        let trace_id = trace_id | u128::from(sixteen_digits(*trace_low)?);
        let parsed = Self {
            trace_id: TraceId::from(trace_id),
            span_id: SpanId::from(sixteen_digits(*span_id)?),
            sampled: flags & u64::from(SAMPLED) != 0,
            random: flags & u64::from(RANDOM) != 0,
        };
        (parsed.trace_id != TraceId::INVALID && parsed.span_id != SpanId::INVALID).then_some(parsed)
    }

    /// Writes version 00, whatever version was read.
    pub(super) fn write(self) -> [u8; LENGTH] {
        let mut header = [b'-'; LENGTH];
        let flags = (u8::from(self.sampled) * SAMPLED) | (u8::from(self.random) * RANDOM);
        header[..2].copy_from_slice(b"00");
        write_hex(&mut header[3..35], &self.trace_id.to_bytes());
        write_hex(&mut header[36..52], &self.span_id.to_bytes());
        header[53..].copy_from_slice(&digits_of(flags.into())[6..]);
        header
    }
}

/// Trims the optional white space of HTTP (RFC 9110, section 5.6.3) at both ends.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Parses lower-case digits only, as the specification requires.
fn two_digits(digits: [u8; 2]) -> Option<u64> {
    let [high, low] = digits;
    eight_digits([b'0', b'0', b'0', b'0', b'0', b'0', high, low])
}

fn sixteen_digits(digits: [u8; 16]) -> Option<u64> {
    let (high, low) = (digits.first_chunk()?, digits.last_chunk()?);
    Some((eight_digits(*high)? << 32) | eight_digits(*low)?)
}

const fn each(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Parses eight digits at once, one per byte.
fn eight_digits(digits: [u8; 8]) -> Option<u64> {
    let digits = u64::from_be_bytes(digits);
    let values = (digits & each(0xf)) + ((digits >> 6) & each(1)) * 9;
    // A byte that is not a digit does not survive the conversion back.
    let is_valid = values & each(0xf0) == 0 && written(values) == digits;
    let pairs = (values | (values >> 4)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs | (pairs >> 8)) & 0x0000_ffff_0000_ffff;
    is_valid.then_some((fours | (fours >> 16)) & 0xffff_ffff)
}

/// Writes complete groups of four bytes.
fn write_hex(target: &mut [u8], bytes: &[u8]) {
    let groups = bytes.as_chunks().0.iter();
    for (digits, group) in target.as_chunks_mut().0.iter_mut().zip(groups) {
        *digits = digits_of(u32::from_be_bytes(*group));
    }
}

/// Formats the eight digits of a number at once.
fn digits_of(number: u32) -> [u8; 8] {
    let all = u64::from(number);
    let fours = (all | (all << 16)) & 0x0000_ffff_0000_ffff;
    let pairs = (fours | (fours << 8)) & 0x00ff_00ff_00ff_00ff;
    written((pairs | (pairs << 4)) & each(0xf)).to_be_bytes()
}

/// Formats eight values below 16 as digits, one per byte.
fn written(values: u64) -> u64 {
    let are_letters = ((values + each(6)) >> 4) & each(1);
    values + each(b'0') + are_letters * u64::from(b'a' - b'0' - 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_written_with_two_digits_at_every_place() {
        for place in 0..4 {
            for byte in 0..=u8::MAX {
                let mut bytes = [0x5a; 4];
                bytes[place] = byte;
                let number = u32::from_be_bytes(bytes);
                assert_eq!(digits_of(number), *format!("{number:08x}").as_bytes());
            }
        }
    }

    /// Tests every byte at every position of `LENGTH` digits.
    fn assert_digits<const LENGTH: usize>(read: impl Fn([u8; LENGTH]) -> Option<u64>) {
        for place in 0..LENGTH {
            for byte in 0..=u8::MAX {
                let mut text = [b'7'; LENGTH];
                text[place] = byte;
                let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
                let expected = is_digit.then(|| {
                    let text = std::str::from_utf8(&text).unwrap();
                    u64::from_str_radix(text, 16).unwrap()
                });
                assert_eq!(read(text), expected, "{}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn digits_are_the_lower_case_ones_at_every_place() {
        assert_digits(two_digits);
        assert_digits(sixteen_digits);
    }
}
