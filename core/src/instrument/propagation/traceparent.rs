use opentelemetry::trace::{SpanId, TraceId};

/// The length of a `traceparent` of version 00.
pub(super) const LENGTH: usize = 55;

const SAMPLED: u8 = 0b01;
const RANDOM: u8 = 0b10;

/// The fields of a valid `traceparent` header.
///
/// Flags other than these two are not passed on, as section 3.2.2.5 asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TraceParent {
    pub(super) trace_id: TraceId,
    pub(super) span_id: SpanId,
    pub(super) sampled: bool,
    pub(super) random: bool,
}

impl TraceParent {
    pub(super) fn parse(header: &[u8]) -> Option<Self> {
        let (fields, more) = trim(header).split_at_checked(LENGTH)?;
        let (version, fields) = fields.split_at_checked(2)?;
        match (hex(version)?, more.first()) {
            (0xff, _) | (0, Some(_)) => return None,
            (_, None | Some(b'-')) => {}
            (_, Some(_)) => return None,
        }
        let (trace_high, fields) = fields.strip_prefix(b"-")?.split_at_checked(16)?;
        let (trace_low, fields) = fields.split_at_checked(16)?;
        let (span_id, fields) = fields.strip_prefix(b"-")?.split_at_checked(16)?;
        let flags = hex(fields.strip_prefix(b"-")?)?;
        let trace_id = (u128::from(hex(trace_high)?) << 64) | u128::from(hex(trace_low)?);
        let parsed = Self {
            trace_id: TraceId::from(trace_id),
            span_id: SpanId::from(hex(span_id)?),
            sampled: flags & u64::from(SAMPLED) != 0,
            random: flags & u64::from(RANDOM) != 0,
        };
        (parsed.trace_id != TraceId::INVALID && parsed.span_id != SpanId::INVALID).then_some(parsed)
    }

    /// Writes version 00, whatever version was read.
    pub(super) fn write(self) -> [u8; LENGTH] {
        let mut header = [b'-'; LENGTH];
        let flags = (u8::from(self.sampled) * SAMPLED) | (u8::from(self.random) * RANDOM);
        write_hex(&mut header[..2], &[0]);
        write_hex(&mut header[3..35], &self.trace_id.to_bytes());
        write_hex(&mut header[36..52], &self.span_id.to_bytes());
        write_hex(&mut header[53..], &[flags]);
        header
    }
}

/// Takes the optional white space of HTTP (RFC 9110, section 5.6.3) from both ends.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Lower-case digits only, 16 at most: the specification forbids the others.
fn hex(digits: &[u8]) -> Option<u64> {
    let mut value = 0;
    let mut seen = 0;
    for digit in digits {
        let digit = VALUES[usize::from(*digit)];
        seen |= digit;
        value = (value << 4) | u64::from(digit & 0xf);
    }
    (seen & INVALID == 0).then_some(value)
}

const INVALID: u8 = 0x80;

/// The value of each byte as a digit.
const VALUES: [u8; 256] = {
    let mut values = [INVALID; 256];
    let mut digit = 0;
    while digit < 16 {
        values[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn write_hex(target: &mut [u8], bytes: &[u8]) {
    for (pair, byte) in target.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 0xf)];
    }
}
