use crate::azurite;
use crate::command::{self, cargo};
use crate::error::Result;
use crate::{packages, pages};

/// Runs every test of the workspace, those in documentation too.
pub(crate) fn run() -> Result {
    packages::provide()?;
    azurite::provide()?;
    // Before the portal, which embeds them, and its tests.
    pages::test()?;
    for kind in ["--all-targets", "--doc"] {
        let mut command = cargo();
        command.args(["test", "--workspace", kind]);
        command::run(command)?;
    }
    pages::browser()?;
    // The same arithmetic as in production, but for that an overflow panics.
    let mut hostile = cargo();
    hostile.args(["test", "--profile", "hostile", "--package", "azmon-hostile"]);
    command::run(hostile)
}
