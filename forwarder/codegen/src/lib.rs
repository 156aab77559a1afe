//! Generates `forwarder/src/proto/*.rs` from `forwarder/proto/**/*.proto`, without `protoc`.

use std::error::Error;
use std::path::{Path, PathBuf};

/// The files that define services or messages, relative to the folder `proto`.
const FILES: [&str; 3] = [
    "contracts/contracts.proto",
    "opencensus/proto/agent/metrics/v1/metrics_service.proto",
    "opencensus/proto/agent/trace/v1/trace_service.proto",
];

/// The crate that receives the generated code.
#[must_use]
pub fn forwarder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Writes the code into a folder, with one file for each package.
///
/// # Errors
///
/// If a file cannot be read, parsed or written.
pub fn generate(into: &Path) -> Result<(), Box<dyn Error>> {
    let protos = forwarder().join("proto");
    let descriptors = protox::compile(FILES.map(|file| protos.join(file)), [&protos])?;
    tonic_prost_build::configure()
        .build_transport(false)
        .btree_map(".")
        .out_dir(into)
        .emit_rerun_if_changed(false)
        .compile_fds(descriptors)?;
    Ok(())
}
