//! Measures the cases of azmon and its peers: `cargo xtask bench`.

use std::process::ExitCode;

fn main() -> ExitCode {
    azmon_benches_peers::program().run()
}
