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
    for kind in ["--all-targets", "--doc"] {
        let mut command = cargo();
        command.args(["test", "--workspace", kind]);
        command::run(command)?;
    }
    pages::browser()?;
    // The same arithmetic as in a release build, except that an overflow panics.
    let mut hostile = cargo();
    hostile.args(["test", "--profile", "hostile", "--package", "azmon-hostile"]);
    command::run(hostile)?;
    // The long faults at their full rates.
    let mut endurance = cargo();
    endurance.args([
        "test",
        "--profile",
        "hostile",
        "--package",
        "azmon",
        "--lib",
    ]);
    endurance.arg("transmission::tests::endurance");
    command::run(endurance)
}
