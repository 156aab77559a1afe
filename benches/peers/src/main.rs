//! Measures azmon's cases and its peers': `cargo xtask bench`.

use std::process::ExitCode;

fn main() -> ExitCode {
    azmon_benches_peers::program().run()
}
