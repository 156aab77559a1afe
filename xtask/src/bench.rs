use std::process::Command;

use crate::command::{self, Programs, cargo};
use crate::error::Result;

/// The workspace of the peers, with other versions of OpenTelemetry and its own lock file.
const PEERS: &str = "benches/peers";
/// The benchmark program in that workspace.
const PROGRAM: &str = "azmon-benches-peers";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The areas to measure; all of them if none is named.
    areas: Vec<String>,

    /// Take less than three minutes, and write nothing by default.
    #[arg(long)]
    quick: bool,

    /// Write the results even after a quick run.
    #[arg(long)]
    write: bool,
}

/// Builds the optimised program with the peers, and runs it.
pub(crate) fn run(options: &Options) -> Result {
    let mut build = in_peers();
    // The workspace also contains the program that counts allocations.
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

/// Checks that azmon's own cases run. CI does not measure them, since its machines differ.
pub(crate) fn smoke() -> Result {
    let programs = Programs::build(&["azmon-benches"])?;
    let mut command = Command::new(programs.path("azmon-benches")?);
    command.current_dir(command::workspace()).arg("--smoke");
    command::run(command)
}

/// Checks the formatting of the peers' sources; CI does not build them.
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
