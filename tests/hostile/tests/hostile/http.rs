//! Any HTTP input: no panic, no overflow, bounded time, no secret, and at most one span for each exchange.

use std::time::{Duration, Instant};

use azmon_hostile::{Inputs, ids, request_head, response_head};

/// The optimised profile `hostile` tries all inputs, other profiles a part.
const INPUTS: usize = if cfg!(debug_assertions) {
    10_000
} else {
    100_000
};
/// The maximum time for one input, on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(5);

fn try_all(seed: u64, run: impl Fn(&[u8]) -> Result<(), String>) {
    for input in Inputs::new(seed).take(INPUTS) {
        let start = Instant::now();
        if let Err(fault) = run(&input) {
            panic!("{fault}, of {input:?}");
        }
        assert!(start.elapsed() < MAX_TIME, "{input:?}");
    }
}

#[test]
fn any_request_is_recorded_once_at_most_and_without_its_secrets() {
    try_all(1, request_head);
}

#[test]
fn any_response_is_recorded_once_at_most_by_each_client() {
    try_all(2, response_head);
}

#[test]
fn ids_that_were_read_are_written_as_they_were() {
    try_all(3, ids);
}
