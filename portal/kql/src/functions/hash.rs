//! Hashes, identifiers, base64.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use md5::{Digest as _, Md5};
use sha2::Sha256;

use super::text::{long, text};
use super::{Context, Function};
use crate::value::Value;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("hash", "any,[int] -> l", hash),
    Function::new("hash_xxhash64", "any,[int] -> l", hash),
    Function::new("hash_md5", "any -> s", |_, args| {
        Value::text(hex(&Md5::digest(text(args, 0).as_bytes())))
    }),
    Function::new("hash_sha256", "any -> s", |_, args| {
        Value::text(hex(&Sha256::digest(text(args, 0).as_bytes())))
    }),
    Function::new("new_guid", "-> g", |_, _| {
        // Version 4, variant 1, as RFC 9562 lays out.
        let random = fastrand::u128(..);
        Value::Guid(random & !(0xF << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62))
    }),
    Function::new("base64_encode_tostring", "s -> s", |_, args| {
        Value::text(BASE64_STANDARD.encode(text(args, 0).as_bytes()))
    }),
    Function::new("base64_decode_tostring", "s -> s", |_, args| {
        let decoded = BASE64_STANDARD.decode(text(args, 0).as_bytes()).ok();
        decoded
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map_or_else(|| Value::text(""), Value::text)
    }),
    Function::new("base64_decode_toarray", "s -> d", |_, args| {
        let decoded = BASE64_STANDARD.decode(text(args, 0).as_bytes()).ok();
        decoded.map_or(Value::Null, |bytes| {
            Value::array(
                bytes
                    .into_iter()
                    .map(|byte| Value::Long(i64::from(byte)))
                    .collect(),
            )
        })
    }),
];

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn hash(_: &mut Context, args: &[Value]) -> Value {
    let hash = match &args[0] {
        Value::Null => return Value::Null,
        Value::Long(number) | Value::DateTime(number) | Value::TimeSpan(number) => {
            xxhash64(&number.to_le_bytes())
        }
        Value::Real(number) => xxhash64(&number.to_le_bytes()),
        Value::Bool(flag) => xxhash64(&[u8::from(*flag)]),
        Value::Guid(guid) => xxhash64(&guid.to_le_bytes()),
        other => xxhash64(other.to_text().as_bytes()),
    };
    match long(args, 1) {
        Some(modulus @ 1..) => Value::Long((hash % modulus.unsigned_abs()).cast_signed()),
        Some(_) => Value::Null,
        None => Value::Long(hash.cast_signed()),
    }
}

const PRIME_1: u64 = 0x9E37_79B1_85EB_CA87;
const PRIME_2: u64 = 0xC2B2_AE3D_27D4_EB4F;
const PRIME_3: u64 = 0x1656_67B1_9E37_79F9;
const PRIME_4: u64 = 0x85EB_CA77_C2B2_AE63;
const PRIME_5: u64 = 0x27D4_EB2F_1656_67C5;

fn round(accumulator: u64, lane: u64) -> u64 {
    accumulator
        .wrapping_add(lane.wrapping_mul(PRIME_2))
        .rotate_left(31)
        .wrapping_mul(PRIME_1)
}

fn word(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// XXH64 with seed 0, by its published specification.
fn xxhash64(bytes: &[u8]) -> u64 {
    let mut stripes = bytes.chunks_exact(32);
    let mut hash = if bytes.len() >= 32 {
        let mut lanes = [
            PRIME_1.wrapping_add(PRIME_2),
            PRIME_2,
            0,
            0_u64.wrapping_sub(PRIME_1),
        ];
        for stripe in stripes.by_ref() {
            for (lane, chunk) in lanes.iter_mut().zip(stripe.chunks_exact(8)) {
                *lane = round(*lane, word(chunk));
            }
        }
        let mixed = [1, 7, 12, 18]
            .iter()
            .zip(&lanes)
            .fold(0_u64, |sum, (by, lane)| {
                sum.wrapping_add(lane.rotate_left(*by))
            });
        lanes.iter().fold(mixed, |hash, lane| {
            (hash ^ round(0, *lane))
                .wrapping_mul(PRIME_1)
                .wrapping_add(PRIME_4)
        })
    } else {
        PRIME_5
    };
    hash = hash.wrapping_add(bytes.len() as u64);
    let mut rest = stripes.remainder().chunks_exact(8);
    for chunk in rest.by_ref() {
        hash = (hash ^ round(0, word(chunk)))
            .rotate_left(27)
            .wrapping_mul(PRIME_1)
            .wrapping_add(PRIME_4);
    }
    let mut rest = rest.remainder().chunks_exact(4);
    for chunk in rest.by_ref() {
        hash = (hash ^ word(chunk).wrapping_mul(PRIME_1))
            .rotate_left(23)
            .wrapping_mul(PRIME_2)
            .wrapping_add(PRIME_3);
    }
    for byte in rest.remainder() {
        hash = (hash ^ u64::from(*byte).wrapping_mul(PRIME_5))
            .rotate_left(11)
            .wrapping_mul(PRIME_1);
    }
    hash = (hash ^ hash >> 33).wrapping_mul(PRIME_2);
    hash = (hash ^ hash >> 29).wrapping_mul(PRIME_3);
    hash ^ hash >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_documentation() {
        assert_eq!(xxhash64(b"World"), 1_846_988_464_401_551_951);
        assert_eq!(xxhash64(b""), 0xEF46_DB37_51D8_E999);
        assert_eq!(
            hex(&Md5::digest(b"World")),
            "f5a7924e621e84c9280a9a27e1bcb7f6"
        );
    }
}
