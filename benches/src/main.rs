//! Measures azmon's own cases, and the bare ones. With the peers: `cargo xtask bench`.

use std::process::ExitCode;

use azmon_benches::{Program, areas};

fn main() -> ExitCode {
    Program::new(areas::all()).run()
}
