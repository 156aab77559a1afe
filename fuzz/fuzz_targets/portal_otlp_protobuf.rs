//! The portal's reader of this input neither panics nor accepts what it cannot read again.
#![no_main]

use azmon_hostile::PortalReaders;
use libfuzzer_sys::fuzz_target;

thread_local! {
    static READERS: PortalReaders = PortalReaders::new().expect("a runtime");
}

fuzz_target!(|input: &[u8]| {
    if let Err(fault) = READERS.with(|readers| readers.otlp_protobuf(input)) {
        panic!("{fault}");
    }
});
