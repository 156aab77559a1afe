//! Measures azmon's and the bare cases. `cargo xtask bench` also measures the peers.

use std::process::ExitCode;

use azmon_benches::{Program, areas};

fn main() -> ExitCode {
    Program::new(areas::all()).run()
}
