//! Measures azmon's own and the bare cases. With the peers: `cargo xtask bench`.

use std::process::ExitCode;

use azmon_benches::{Program, areas};

fn main() -> ExitCode {
    Program::new(areas::all()).run()
}
