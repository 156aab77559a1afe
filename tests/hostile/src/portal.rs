//! Damaged bodies and files of real clients, for the portal.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::sync::LazyLock;

use azmon_portal::hostile::{Otlp, import, track};
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::Value;
use tokio::runtime::Runtime;

use super::Bytes;

/// Requests of real clients. Paths are those of the repository.
const CLIENTS: [&str; 6] = [
    "portal/tests/golden/node-applicationinsights-v2-track.json",
    "portal/tests/golden/opencensus-azure-logs.json",
    "portal/tests/golden/opencensus-azure-metrics.json",
    "portal/tests/golden/opencensus-azure-traces.json",
    "portal/tests/golden/otel-python-azsdk-blob.json",
    "portal/tests/golden/otel-python-distro-track.json",
];

/// OpenTelemetry's own examples.
const TRACE: &str = "forwarder/tests/data/otlp/trace.json";
const LOGS: &str = "forwarder/tests/data/otlp/logs.json";
const EVENTS: &str = "forwarder/tests/data/otlp/events.json";
const METRICS: &str = "forwarder/tests/data/otlp/metrics.json";

/// The text of a file of the repository.
#[expect(
    clippy::expect_used,
    reason = "a damaged repository must not make the tests pass"
)]
fn file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).expect(path)
}

/// Fragments to insert into JSON.
const TOKENS: [&str; 30] = [
    "null",
    "true",
    "-1",
    "1e999",
    "1e-400",
    "99999999999999999999999",
    "-9223372036854775808",
    "18446744073709551616",
    "\"\"",
    "\"\\u0000\"",
    "\"\\ud800\"",
    "\"\u{202e}x\"",
    "[]",
    "{}",
    "[[[[]]]]",
    "\"9999.23:59:59.9999999\"",
    "\"00:00:00.99999999999999\"",
    "\"-1:00:00\"",
    "\"0001-01-01T00:00:00Z\"",
    "\"9999-12-31T23:59:59.9999999Z\"",
    "\"2026-02-30T25:61:61\"",
    "\"NaN\"",
    "\"RequestData\"",
    "\"MetricData\"",
    "{\"baseType\":\"ExceptionData\",\"baseData\":{}}",
    "\"00000000000000000000000000000000\"",
    "\"|x.y.\"",
    ",",
    "\n",
    "\u{feff}",
];

/// Fragments to insert into protobuf: the longest varint, lengths beyond the end, groups, field 0, a deep message.
const PIECES: [&[u8]; 8] = [
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x0b, 0x0b, 0x0b, 0x0c],
    &[0x00],
    &[0x0a, 0x02, 0x0a, 0x00],
    &[0x09, 0, 0, 0, 0, 0, 0, 0xf0, 0x7f],
    &[0x0a, 0x04, 0xff, 0xfe, 0xc3, 0x28],
    &[0x80],
];

/// Envelopes of all clients, as JSON.
static ENVELOPES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let requests = CLIENTS
        .iter()
        .filter_map(|path| serde_json::from_str::<Value>(&file(path)).ok());
    let bodies = requests.flat_map(|requests| requests.as_array().cloned().unwrap_or_default());
    let items = bodies.flat_map(|request| request["body"].as_array().cloned().unwrap_or_default());
    items.map(|item| item.to_string()).collect()
});

/// Path, JSON and protobuf of a message.
type Example = (&'static str, String, Vec<u8>);

static MESSAGES: LazyLock<Vec<Example>> = LazyLock::new(|| {
    let all = [
        example::<ExportTraceServiceRequest>("/v1/traces", TRACE),
        example::<ExportLogsServiceRequest>("/v1/logs", LOGS),
        example::<ExportLogsServiceRequest>("/v1/logs", EVENTS),
        example::<ExportMetricsServiceRequest>("/v1/metrics", METRICS),
    ];
    all.into_iter().flatten().collect()
});

fn example<T: Message + serde::de::DeserializeOwned>(
    path: &'static str,
    from: &str,
) -> Option<Example> {
    let json = file(from);
    let value: Value = serde_json::from_str(&json).ok()?;
    let message: T = serde_json::from_str(&json).ok()?;
    Some((path, value.to_string(), message.encode_to_vec()))
}

/// 100 MB of spaces in a thousandth of the bytes: more than the portal accepts.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&vec![b' '; 100_000_000]));

/// The portal's readers, and the state that inputs share.
#[derive(Debug)]
pub struct PortalReaders {
    runtime: Runtime,
    otlp: Otlp,
}

impl PortalReaders {
    /// Starts a runtime for them, and reads the examples that inputs are made of.
    ///
    /// # Errors
    /// When the system has no resources for a runtime.
    pub fn new() -> io::Result<Self> {
        LazyLock::force(&ENVELOPES);
        LazyLock::force(&MESSAGES);
        LazyLock::force(&BOMB);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            runtime,
            otlp: Otlp::default(),
        })
    }

    /// A body for `/v2.1/track`. Returns its size in bytes.
    ///
    /// # Errors
    /// A description of the portal's wrong answer.
    pub fn track_body(&self, input: &[u8]) -> Result<usize, String> {
        let mut bytes = Bytes::new(input);
        let mut body = envelopes(&mut bytes);
        damage_json(&mut bytes, &mut body);
        let length = body.len();
        counted(track(body, None))?;
        Ok(length)
    }

    /// A compressed body for `/v2.1/track`, occasionally a bomb. Returns its size in bytes.
    ///
    /// # Errors
    /// As [`track_body`](Self::track_body).
    pub fn gzip_body(&self, input: &[u8]) -> Result<usize, String> {
        let mut bytes = Bytes::new(input);
        let is_bomb = bytes.below(256) == 0 && bytes.below(4) == 0;
        let mut body = gzip(&envelopes(&mut bytes));
        if bytes.below(3) == 0 {
            body.extend(gzip(&envelopes(&mut bytes)));
        }
        if is_bomb {
            body.extend_from_slice(&BOMB);
        }
        if bytes.below(4) != 0 {
            damage(&mut bytes, &mut body, &PIECES);
        }
        let length = body.len();
        let encoding = bytes.pick(&[Some("gzip"), None, Some("identity"), Some("br")]);
        counted(track(body, encoding.flatten()))?;
        Ok(length)
    }

    /// A protobuf message of OTLP. Returns its size in bytes.
    ///
    /// # Errors
    /// As [`track_body`](Self::track_body).
    pub fn otlp_protobuf(&self, input: &[u8]) -> Result<usize, String> {
        let mut bytes = Bytes::new(input);
        let index = bytes.below(MESSAGES.len());
        let Some((path, _, message)) = MESSAGES.get(index) else {
            return Err("the examples could not be read".to_owned());
        };
        let mut body = message.clone();
        for _ in 0..bytes.below(6) {
            damage(&mut bytes, &mut body, &PIECES);
        }
        if bytes.below(16) == 0 {
            body.extend(deep(bytes.below(256) * 8));
        }
        self.otlp(&mut bytes, path, "application/x-protobuf", body)
    }

    /// A JSON message of OTLP. Returns its size in bytes.
    ///
    /// # Errors
    /// As [`track_body`](Self::track_body).
    pub fn otlp_json(&self, input: &[u8]) -> Result<usize, String> {
        let mut bytes = Bytes::new(input);
        let index = bytes.below(MESSAGES.len());
        let Some((path, json, _)) = MESSAGES.get(index) else {
            return Err("the examples could not be read".to_owned());
        };
        let mut body = json.clone().into_bytes();
        damage_json(&mut bytes, &mut body);
        self.otlp(&mut bytes, path, "application/json", body)
    }

    fn otlp(
        &self,
        bytes: &mut Bytes<'_>,
        path: &'static str,
        content_type: &'static str,
        mut body: Vec<u8>,
    ) -> Result<usize, String> {
        let encoding = (bytes.below(8) == 0).then_some("gzip");
        if encoding.is_some() {
            body = gzip(&body);
            if bytes.below(4) == 0 {
                damage(bytes, &mut body, &PIECES);
            }
        }
        let length = body.len();
        let received = self.otlp.receive(path, content_type, encoding, body);
        counted(self.runtime.block_on(received))?;
        Ok(length)
    }

    /// A file for `/api/import`: envelopes and OTLP JSON, compressed or not. Returns its size in bytes.
    ///
    /// # Errors
    /// As [`track_body`](Self::track_body).
    pub fn imported_file(&self, input: &[u8]) -> Result<usize, String> {
        let mut bytes = Bytes::new(input);
        let mut file = Vec::new();
        for _ in 0..=bytes.below(3) {
            let index = bytes.below(MESSAGES.len() + 2);
            let mut line = match MESSAGES.get(index) {
                Some((_, json, _)) => json.clone().into_bytes(),
                None => envelopes(&mut bytes),
            };
            damage_json(&mut bytes, &mut line);
            file.extend(line);
            file.push(b'\n');
        }
        if bytes.below(4) == 0 {
            file = gzip(&file);
            if bytes.below(2) == 0 {
                damage(&mut bytes, &mut file, &PIECES);
            }
        }
        let length = file.len();
        let _in_runtime = self.runtime.enter();
        counted(import(file))?;
        Ok(length)
    }
}

/// A rejection is correct; more accepted than received items are not.
fn counted(read: Result<azmon_portal::hostile::Outcome, String>) -> Result<(), String> {
    match read {
        Ok(outcome) if outcome.accepted > outcome.received => Err(format!("{outcome:?}")),
        Err(message) if message.contains("cannot be read again") => Err(message),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(body);
    encoder.finish().unwrap_or_default()
}

/// Some envelopes, as an array or one a line.
fn envelopes(bytes: &mut Bytes<'_>) -> Vec<u8> {
    let items: Vec<&str> = (0..=bytes.below(4))
        .filter_map(|_| {
            let index = bytes.below(256) * 256 + bytes.below(256);
            ENVELOPES.get(index % ENVELOPES.len().max(1))
        })
        .map(String::as_str)
        .collect();
    match bytes.below(2) {
        0 => items.join("\n").into_bytes(),
        _ => format!("[{}]", items.join(",")).into_bytes(),
    }
}

/// Inserts up to five faults, specific to JSON or arbitrary.
fn damage_json(bytes: &mut Bytes<'_>, body: &mut Vec<u8>) {
    let tokens = TOKENS.map(str::as_bytes);
    for _ in 0..bytes.below(6) {
        if bytes.below(3) == 0 {
            replace_value(bytes, body);
        } else {
            damage(bytes, body, &tokens);
        }
    }
    if bytes.below(64) == 0 {
        let depth = bytes.below(256) * 64;
        let open = bytes.pick(&["[", "{\"a\":"]).unwrap_or("[");
        let at = place(bytes, body.len());
        body.splice(at..at, open.repeat(depth).into_bytes());
    }
}

/// Puts another value behind a colon.
fn replace_value(bytes: &mut Bytes<'_>, body: &mut Vec<u8>) {
    let colons: Vec<usize> = memchr_all(b':', body);
    let index = bytes.below(256) * 256 + bytes.below(256);
    let Some(colon) = colons.get(index % colons.len().max(1)) else {
        return;
    };
    let rest = body.get(colon + 1..).unwrap_or_default();
    let length = rest
        .iter()
        .position(|byte| matches!(byte, b',' | b'}' | b']'))
        .unwrap_or(rest.len());
    let token = bytes.pick(&TOKENS).unwrap_or("null");
    body.splice(colon + 1..colon + 1 + length, token.bytes());
}

fn memchr_all(wanted: u8, body: &[u8]) -> Vec<usize> {
    let found = body.iter().enumerate();
    found
        .filter(|(_, byte)| **byte == wanted)
        .map(|(index, _)| index)
        .collect()
}

/// Cuts, copies, overwrites or inserts bytes.
fn damage(bytes: &mut Bytes<'_>, body: &mut Vec<u8>, pieces: &[&[u8]]) {
    let at = place(bytes, body.len());
    let end = (at + bytes.below(256)).min(body.len());
    match bytes.below(6) {
        0 => body.truncate(at),
        1 => drop(body.drain(at..end)),
        2 => {
            let part = body.get(at..end).unwrap_or_default().to_vec();
            body.splice(at..at, part.repeat(bytes.below(32)));
        }
        3 => {
            let raw = bytes.raw();
            let end = (at + raw.len()).min(body.len());
            body.splice(at..end, raw.iter().copied());
        }
        4 => {
            if let Some(byte) = body.get_mut(at) {
                *byte ^= 1 << bytes.below(8);
            }
        }
        _ => {
            let piece = bytes.pick(pieces).unwrap_or_default();
            body.splice(at..at, piece.iter().copied());
        }
    }
}

fn place(bytes: &mut Bytes<'_>, length: usize) -> usize {
    let index = bytes.below(256) * 256 + bytes.below(256);
    index * length / 65_536
}

/// A list of resources whose first attribute is an array nested to this depth.
fn deep(depth: usize) -> Vec<u8> {
    let mut message = Vec::new();
    for _ in 0..depth {
        // AnyValue.array_value, ArrayValue.values.
        for tag in [0x0a, 0x2a] {
            let mut outer = vec![tag];
            prost::encode_length_delimiter(message.len(), &mut outer).unwrap_or_default();
            outer.extend(message);
            message = outer;
        }
    }
    // KeyValue.value, Resource.attributes, ResourceSpans.resource, resource_spans.
    for tag in [0x12, 0x0a, 0x0a, 0x0a] {
        let mut outer = vec![tag];
        prost::encode_length_delimiter(message.len(), &mut outer).unwrap_or_default();
        outer.extend(message);
        message = outer;
    }
    message
}
