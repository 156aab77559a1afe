//! Hostile bodies: the portal neither panics nor overflows, and its time and memory are bounded.

use std::time::{Duration, Instant};

use azmon_hostile::{Inputs, PortalReaders};

/// The optimised profile `hostile` tries all inputs, other profiles a part.
const INPUTS: usize = if cfg!(debug_assertions) {
    5_000
} else {
    100_000
};
/// Maximum time for one input, on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(20);
/// Maximum memory: this constant, and this multiple of the length. A body is held once as received, and once as items
/// with their fields, their words and their JSON.
const MEMORY: u64 = 2 * 1_024 * 1_024;
const TIMES: u64 = 200;
/// The additional memory of a bomb: the limit of a decompressed body, in a buffer that grows by doubling.
const BOMB: u64 = 3 * 64 * 1_024 * 1_024;

fn try_all(seed: u64, run: impl Fn(&PortalReaders, &[u8]) -> Result<usize, String>) {
    let readers = PortalReaders::new().unwrap();
    for (number, input) in Inputs::new(seed).take(INPUTS).enumerate() {
        let start = Instant::now();
        let mut length = 0;
        let used = allocation_counter::measure(|| match run(&readers, &input) {
            Ok(of_body) => length = of_body,
            Err(fault) => panic!("{fault}, of {input:?}"),
        });
        assert!(start.elapsed() < MAX_TIME, "input {number}: {input:?}");
        let mut most = MEMORY + TIMES * length as u64;
        if length > 90_000 {
            most = MEMORY + 2 * length as u64 + BOMB;
        }
        assert!(
            used.bytes_max < most,
            "input {number} of {length} bytes took {} bytes: {input:?}",
            used.bytes_max
        );
    }
}

#[test]
fn any_track_body_is_read_or_refused() {
    try_all(11, PortalReaders::track_body);
}

#[test]
fn any_compressed_body_is_read_or_refused() {
    try_all(12, PortalReaders::gzip_body);
}

#[test]
fn any_otlp_message_in_protobuf_is_read_or_refused() {
    try_all(13, PortalReaders::otlp_protobuf);
}

#[test]
fn any_otlp_message_in_json_is_read_or_refused() {
    try_all(14, PortalReaders::otlp_json);
}

#[test]
fn any_imported_file_is_read_or_refused() {
    try_all(15, PortalReaders::imported_file);
}
