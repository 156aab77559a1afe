//! The portal's reader neither panics nor accepts items that it cannot read back.
#![no_main]

use azmon_hostile::PortalReaders;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static READERS: PortalReaders = PortalReaders::new().expect("a runtime");
}

fuzz_target!(|input: &[u8]| {
    if let Err(fault) = READERS.with(|readers| readers.otlp_json(input)) {
        panic!("{fault}");
    }
});
