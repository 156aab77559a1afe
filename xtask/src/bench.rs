use std::process::Command;

use crate::command::{self, cargo};
use crate::error::Result;

/// The workspace of the peers, which have other versions of OpenTelemetry and a lock file of their own.
const PEERS: &str = "benches/peers";
/// The program in it.
const PROGRAM: &str = "azmon-benches-peers";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The areas to measure; all of them if none is named.
    areas: Vec<String>,

    /// Take less than three minutes, and write nothing unless told to.
    #[arg(long)]
    quick: bool,

    /// Write the results, also after a quick run.
    #[arg(long)]
    write: bool,
}

/// Builds the program with the peers, optimised, and lets it measure.
pub(crate) fn run(options: &Options) -> Result {
    let mut build = in_peers();
    // Beside the program that times, there is the one that counts allocations.
    build.args(["build", "--release", "--bins"]);
    command::run(build)?;
    let mut bench = in_peers();
    bench.args(["run", "--quiet", "--release", "--bin", PROGRAM, "--"]);
    bench
        .args(&options.areas)
        .args(options.quick.then_some("--quick"))
        .args(options.write.then_some("--write"));
    command::run(bench)
}

/// Sees whether azmon's own cases run. What they cost is not for CI, whose machines differ.
pub(crate) fn smoke() -> Command {
    let mut command = cargo();
    command.args(["run", "--package", "azmon-benches", "--", "--smoke"]);
    command
}

/// Sees whether the sources of the peers are formatted; CI does not build them.
pub(crate) fn fmt() -> Command {
    let mut command = in_peers();
    command.args(["fmt", "--check"]);
    command
}

fn in_peers() -> Command {
    let mut command = cargo();
    command.current_dir(command::workspace().join(PEERS));
    command
}
