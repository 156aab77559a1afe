//! Makes `forwarder/src/proto/*.rs` of `forwarder/proto/**/*.proto`, without a `protoc`.

use std::error::Error;
use std::path::{Path, PathBuf};

/// The files with services or messages of their own, relative to the folder `proto`.
const FILES: [&str; 3] = [
    "contracts/contracts.proto",
    "opencensus/proto/agent/metrics/v1/metrics_service.proto",
    "opencensus/proto/agent/trace/v1/trace_service.proto",
];

/// The crate whose code is generated.
#[must_use]
pub fn forwarder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Writes the code into a folder: one file for each package.
///
/// # Errors
///
/// When a file cannot be read, written, or understood.
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
