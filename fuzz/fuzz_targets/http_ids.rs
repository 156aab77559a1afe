//! Headers of trace context and baggage are read and written.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Err(fault) = azmon_hostile::ids(input) {
        panic!("{fault}");
    }
});
