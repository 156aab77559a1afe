//! A server's layer records any request.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(fault) = azmon_hostile::request_head(input) {
        panic!("{fault}");
    }
});
