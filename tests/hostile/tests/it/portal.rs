//! Whatever is sent to the portal: no panic, no overflow, bounded time and memory.

use std::time::{Duration, Instant};

use azmon_hostile::{Inputs, PortalReaders};

/// `cargo test --profile hostile` tries them all; without optimisation, a part of them takes as long.
const INPUTS: usize = if cfg!(debug_assertions) {
    5_000
} else {
    100_000
};
/// No input may take that long, however busy the machine is.
const MAX_TIME: Duration = Duration::from_secs(20);
/// Memory at the same time: so much for any input, and so many times its length. A body is held once as it came, once
/// as items with their fields, their words and their JSON.
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
