use std::io::{self, Read};

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;

/// The first two bytes of gzip (RFC 1952, 2.3.1). No JSON text starts with them.
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// The reason for a failed decompression.
#[derive(Debug, thiserror::Error)]
pub(super) enum DecodeError {
    #[error("body is not valid gzip: {0}")]
    Corrupt(#[source] io::Error),
    #[error("body is larger than {limit} bytes when it is decompressed")]
    TooLarge { limit: usize },
    #[error("content encoding {0:?} is not supported; send gzip, or none")]
    Unsupported(String),
}

/// Decompresses a body that is declared as gzip, or starts like it, to at most `limit` bytes.
pub(super) fn decode(
    body: Bytes,
    encoding: Option<&str>,
    limit: usize,
) -> Result<Bytes, DecodeError> {
    if says_gzip(encoding)? || body.starts_with(GZIP_MAGIC) {
        gunzip(&body, limit).map(Bytes::from)
    } else {
        Ok(body)
    }
}

fn says_gzip(encoding: Option<&str>) -> Result<bool, DecodeError> {
    let encoding = encoding.unwrap_or_default().trim();
    if encoding.is_empty() || encoding.eq_ignore_ascii_case("identity") {
        Ok(false)
    } else if encoding.eq_ignore_ascii_case("gzip") || encoding.eq_ignore_ascii_case("x-gzip") {
        Ok(true)
    } else {
        Err(DecodeError::Unsupported(encoding.to_owned()))
    }
}

fn gunzip(body: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoded = Vec::new();
    // One byte beyond the limit distinguishes a body of exactly the limit from a larger one.
    let mut reader = MultiGzDecoder::new(body).take(limit as u64 + 1);
    reader
        .read_to_end(&mut decoded)
        .map_err(DecodeError::Corrupt)?;
    if decoded.len() > limit {
        return Err(DecodeError::TooLarge { limit });
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn decoded(body: Vec<u8>, encoding: Option<&str>) -> Result<Bytes, DecodeError> {
        decode(Bytes::from(body), encoding, 1_000)
    }

    #[test]
    fn a_plain_body_is_left_as_it_is() {
        for encoding in [None, Some(""), Some("identity"), Some(" Identity ")] {
            assert_eq!(decoded(b"[]".to_vec(), encoding).unwrap(), "[]");
        }
    }

    #[test]
    fn gzip_is_known_by_its_header_and_by_its_first_bytes() {
        for encoding in [Some("gzip"), Some("GZIP"), Some("x-gzip"), None] {
            assert_eq!(decoded(gzip(b"[1]"), encoding).unwrap(), "[1]");
        }
    }

    #[test]
    fn members_of_gzip_are_joined() {
        let body = [gzip(b"[1,"), gzip(b"2]")].concat();
        assert_eq!(decoded(body, None).unwrap(), "[1,2]");
    }

    #[test]
    fn truncated_gzip_is_corrupt() {
        let whole = gzip(b"[1,2,3]");
        for length in 2..whole.len() {
            let result = decoded(whole[..length].to_vec(), Some("gzip"));
            assert!(matches!(result, Err(DecodeError::Corrupt(_))), "{length}");
        }
    }

    #[test]
    fn a_body_that_only_says_that_it_is_gzip_is_corrupt() {
        let result = decoded(b"[]".to_vec(), Some("gzip"));
        assert!(matches!(result, Err(DecodeError::Corrupt(_))));
    }

    #[test]
    fn a_decompression_bomb_stops_at_the_limit() {
        assert_eq!(decoded(gzip(&[b' '; 1_000]), None).unwrap().len(), 1_000);
        let bomb = gzip(&vec![b' '; 50_000_000]);
        let result = decoded(bomb, None);
        assert!(matches!(
            result,
            Err(DecodeError::TooLarge { limit: 1_000 })
        ));
    }

    #[test]
    fn another_encoding_is_named() {
        let error = decoded(b"[]".to_vec(), Some("br")).unwrap_err();
        assert!(error.to_string().contains("\"br\""), "{error}");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            body in proptest::collection::vec(any::<u8>(), 0..400),
            gzipped in any::<bool>(),
        ) {
            let body = if gzipped { [GZIP_MAGIC, &[8, 0], &body].concat() } else { body };
            if let Ok(decoded) = decoded(body, None) {
                prop_assert!(decoded.len() <= 1_000);
            }
        }

        #[test]
        fn compressed_bodies_are_decoded(text in proptest::collection::vec(any::<u8>(), 0..1_000)) {
            prop_assert_eq!(decoded(gzip(&text), None).unwrap(), text);
        }
    }
}
