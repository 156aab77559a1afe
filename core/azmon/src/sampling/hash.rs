use opentelemetry::trace::TraceId;

/// The score of a trace, from 0 to 1. A sampler keeps the traces whose score is below its share.
///
/// Every Application Insights SDK computes the same score from the trace id, so services with the same share keep the
/// same traces. It is .NET's former string hash (djb2, 33 times plus the next character, in 32 bits) of the 32
/// hexadecimal digits of the id, without its sign, divided by the largest such number.
///
/// # Examples
///
/// ```
/// use opentelemetry::trace::TraceId;
///
/// let trace_id = TraceId::from_hex("4bf92f3577b34da6a3ce929d0e0e4736").unwrap();
/// assert!((azmon::sampling::score(trace_id) - 0.334_613_538).abs() < 1e-9);
/// ```
#[must_use]
pub fn score(trace_id: TraceId) -> f64 {
    let magnitude = hash(trace_id).checked_abs().unwrap_or(i32::MAX);
    f64::from(magnitude) / f64::from(i32::MAX)
}

fn hash(trace_id: TraceId) -> i32 {
    let bytes = trace_id.to_bytes();
    bytes.iter().fold(5_381_i32, |hash, byte| {
        let digits = DIGITS[usize::from(*byte)];
        hash.wrapping_mul(33 * 33).wrapping_add(i32::from(digits))
    })
}

/// The sum that the two hexadecimal digits of each byte add to the hash.
static DIGITS: [u16; 256] = {
    let mut all = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (high, low) = (hex_digit(byte as u8 >> 4), hex_digit(byte as u8 & 0x0f));
        all[byte] = high as u16 * 33 + low as u16;
        byte += 1;
    }
    all
};

const fn hex_digit(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'a' + (nibble - 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::golden::golden;

    #[test]
    fn hashes_and_scores_are_those_of_the_official_sdks() {
        let golden = golden();
        for vector in &golden.vectors {
            let trace_id = TraceId::from_hex(&vector.trace_id).unwrap();
            assert_eq!(hash(trace_id), vector.hash_i32, "{}", vector.trace_id);
            let score = score(trace_id);
            let difference = (score - vector.score_0_1).abs();
            assert!(difference < 1e-12, "{}: {score}", vector.trace_id);
            for (ratio, sampled) in &vector.sampled {
                let ratio: f64 = ratio.parse().unwrap();
                assert_eq!(score < ratio, *sampled, "{} at {ratio}", vector.trace_id);
            }
        }
        assert!(golden.vectors.len() >= 28);
    }
}
