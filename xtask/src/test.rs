use crate::azurite;
use crate::command::{self, cargo};
use crate::error::Result;
use crate::{packages, pages};

/// Runs every test of the workspace, including documentation tests.
pub(crate) fn run() -> Result {
    packages::provide()?;
    azurite::provide()?;
    // Before the portal, which embeds the pages, and its tests.
    pages::test()?;
    tests(&["--workspace", "--all-targets"])?;
    tests(&["--workspace", "--doc"])?;
    pages::browser()?;
    optimised(&["--test", "hostile"])?;
    // The long faults at their full rates, all generated requests and all damaged bytes.
    optimised(&["--lib", "transmission::tests"])
}

fn tests(arguments: &[&str]) -> Result {
    let mut command = cargo();
    command.arg("test").args(arguments);
    command::run(command)
}

/// Runs tests with the arithmetic of a release build, except that an overflow panics. Both packages are always selected,
/// so that they share their compiled dependencies.
fn optimised(tests: &[&str]) -> Result {
    let packages = ["--package", "azmon", "--package", "azmon-hostile"];
    self::tests(&[&["--profile", "hostile"], &packages[..], tests].concat())
}
