//! Regenerates the code: `cargo run -p azmon-forwarder-codegen`.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    azmon_forwarder_codegen::generate(&azmon_forwarder_codegen::forwarder().join("src/proto"))
}
