//! Hashes that are stored, so they must never change.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// FNV-1a over the parts with separators, followed by a mix of all bits.
pub(crate) fn stable(parts: &[&str]) -> i64 {
    let mut hash = OFFSET;
    for part in parts {
        for byte in part.bytes().chain([0xff]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }
    hash ^= hash >> 33;
    hash = hash.wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^= hash >> 33;
    hash.cast_signed()
}

/// Normalises the id of a span, as its children state it.
///
/// OpenCensus' log handler and classic SDKs write `|trace.span.` where the span itself has the id `span`.
pub(crate) fn span_id(id: &str) -> &str {
    const LENGTH: usize = 16;
    let Some(inner) = id.strip_prefix('|') else {
        return id;
    };
    let last = inner.trim_end_matches('.').rsplit('.').next().unwrap_or(id);
    let is_span = last.len() == LENGTH && last.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_span { last } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_id_are_one() {
        assert_eq!(
            span_id("|0af7651916cd43dd8448eb211c80319c.b7ad6b7169203331."),
            "b7ad6b7169203331"
        );
        assert_eq!(span_id("b7ad6b7169203331"), "b7ad6b7169203331");
        for other in ["|abc.1.2.", "", "|", "|.", "||"] {
            assert_eq!(span_id(other), other);
        }
    }

    #[test]
    fn parts_are_distinguished() {
        assert_ne!(stable(&["ab", "c"]), stable(&["a", "bc"]));
        assert_ne!(stable(&["a"]), stable(&["a", ""]));
    }
}
