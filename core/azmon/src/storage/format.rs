//! The content of a batch file: a header that describes the batch, and the body as it is sent.

use std::io::Read;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use flate2::read::GzDecoder;
use serde::{Deserialize, Serialize};

use crate::item::ItemLabel;

const MAGIC: &[u8] = b"azmon-batch 1\n";
/// Maximum number of items of a batch that is read; the service accepts 64,000.
const MAX_ITEMS: usize = 64_000;

/// Maximum size of a decompressed batch, in bytes. It is larger than any batch of the encoder, and prevents a foreign
/// file from filling the memory.
const MAX_TEXT: u64 = 64 << 20;

/// The description of a batch, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) created: SystemTime,
    pub(crate) labels: Vec<ItemLabel>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Json {
    created: u64,
    labels: Vec<(usize, usize)>,
}

/// Makes the content of a file.
pub(crate) fn encode(header: &Header, body: &[u8]) -> Vec<u8> {
    let mut labels: Vec<(usize, usize)> = Vec::new();
    for label in &header.labels {
        match labels.last_mut() {
            Some((index, count)) if *index == label.index() => *count += 1,
            _ => labels.push((label.index(), 1)),
        }
    }
    let json = Json {
        created: milliseconds(header.created),
        labels,
    };
    let mut content = MAGIC.to_vec();
    // Numbers in memory can always be serialised.
    let _ = serde_json::to_writer(&mut content, &json);
    content.push(b'\n');
    content.extend_from_slice(body);
    content
}

/// Parses the content of a file; `None` if it has another format.
pub(crate) fn decode(content: &Bytes) -> Option<(Header, Bytes)> {
    let rest = content.strip_prefix(MAGIC)?;
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let json: Json = serde_json::from_slice(rest.get(..end)?).ok()?;
    let mut labels = Vec::new();
    for (index, count) in json.labels {
        let label = ItemLabel::from_index(index)?;
        if count > MAX_ITEMS - labels.len() {
            return None;
        }
        labels.extend(std::iter::repeat_n(label, count));
    }
    if labels.is_empty() {
        return None;
    }
    let header = Header {
        created: UNIX_EPOCH.checked_add(Duration::from_millis(json.created))?,
        labels,
    };
    Some((header, content.slice(MAGIC.len() + end + 1..)))
}

/// Whether the content of a file is a complete batch.
pub(crate) fn is_whole(content: &Bytes) -> bool {
    decode(content).is_some_and(|(header, body)| has_lines(&body, header.labels.len()))
}

/// Whether a compressed body is complete, has this number of lines, and nothing follows it.
pub(crate) fn has_lines(body: &[u8], lines: usize) -> bool {
    let (mut rest, mut text) = (body, Vec::new());
    let decoder = flate2::bufread::GzDecoder::new(&mut rest);
    let is_whole = decoder.take(MAX_TEXT).read_to_end(&mut text).is_ok();
    is_whole && rest.is_empty() && text.iter().filter(|byte| **byte == b'\n').count() == lines
}

/// Decompresses a body.
pub(crate) fn decompress(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    GzDecoder::new(body).take(MAX_TEXT).read_to_end(&mut text)?;
    Ok(text)
}

/// A time in milliseconds since 1970; 0 for an earlier time.
pub(crate) fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::item::TelemetryType;

    #[test]
    fn written_batches_are_read() {
        let kinds = [
            TelemetryType::Request,
            TelemetryType::Request,
            TelemetryType::Trace,
        ];
        let header = Header {
            created: UNIX_EPOCH + Duration::from_millis(1_780_000_000_123),
            labels: kinds.map(ItemLabel::from).to_vec(),
        };
        let content = encode(&header, b"body\n\0").into();
        assert_eq!(
            decode(&content),
            Some((header, Bytes::from_static(b"body\n\0")))
        );
    }

    #[test]
    fn other_content_is_foreign() {
        for content in [
            "",
            "azmon-batch 2\n{}\n",
            "azmon-batch 1\n",
            "azmon-batch 1\n{\"created\":1}\n",
            "azmon-batch 1\n{\"created\":1,\"labels\":[]}\n",
            "azmon-batch 1\n{\"created\":1,\"labels\":[[99999,1]]}\n",
            "azmon-batch 1\n{\"created\":1,\"labels\":[[1,18446744073709551615]]}\n",
            "azmon-batch 1\n{\"created\":18446744073709551615,\"labels\":[[1,70000]]}\n",
        ] {
            assert_eq!(decode(&content.into()), None, "{content}");
        }
    }

    proptest! {
        #[test]
        fn no_content_makes_it_panic(content in proptest::collection::vec(any::<u8>(), 0..200)) {
            decode(&[MAGIC, &content].concat().into());
            decode(&content.into());
        }
    }
}
