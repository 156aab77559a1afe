//! The clients record any response.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(fault) = azmon_hostile::response_head(input) {
        panic!("{fault}");
    }
});
