//! The portal's pages: building with Node.js, browser tests, and pictures.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::command::{self, Programs, workspace};
use crate::error::Result;
use crate::packages;

/// The oldest Node.js version that Vite supports.
const NODE: u32 = 20;
/// The inputs of a build, in the folder of the pages.
const SOURCES: &[&str] = &[
    "src",
    "public",
    "index.html",
    "package-lock.json",
    "svelte.config.js",
    "vite.config.ts",
];

/// Builds the pages, unless nothing has changed.
pub(crate) fn build() -> Result {
    let built = modified(&folder().join("dist/pages/index.html"));
    let changed = SOURCES
        .iter()
        .map(|source| newest(&folder().join(source)))
        .max();
    if built.is_some() && changed.flatten() < built {
        return Ok(());
    }
    install()?;
    npm(&["run", "build"])
}

/// Checks the types, and runs the unit tests.
pub(crate) fn test() -> Result {
    build()?;
    install()?;
    npm(&["run", "check"])?;
    npm(&["test"])
}

/// Tests every page in a browser, with the real program and the demo's traffic.
pub(crate) fn browser() -> Result {
    build()?;
    install()?;
    in_browser("browser")
}

/// Makes the pictures of the documentation.
pub(crate) fn pictures() -> Result {
    build()?;
    install()?;
    in_browser("pictures")
}

fn in_browser(script: &str) -> Result {
    packages::provide_browser()?;
    let programs = Programs::build(&["azmon", "services"])?;
    let mut command = command_of(&["run", script]);
    command
        .env("AZMON", programs.path("azmon")?)
        .env("AZMON_SERVICES", programs.path("services")?)
        .env("AZMON_PICTURES", workspace().join("docs/portal"));
    command::run(command)
}

/// Installs the packages of the lock file, once.
fn install() -> Result {
    packages::provide_node(NODE)?;
    let lock = modified(&folder().join("package-lock.json"));
    let installed = modified(&folder().join("node_modules/.package-lock.json"));
    if installed.is_some() && lock <= installed {
        return Ok(());
    }
    // `npm ci` fails if a registry lacks optional packages for other systems.
    npm(&["install", "--no-audit", "--no-fund"])
}

fn npm(arguments: &[&str]) -> Result {
    command::run(command_of(arguments))
}

fn command_of(arguments: &[&str]) -> Command {
    let mut command = Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" });
    command.current_dir(folder()).args(arguments);
    command
}

fn folder() -> PathBuf {
    workspace().join("portal/web")
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

/// The modification time of a file, or of the newest file in a folder.
fn newest(path: &Path) -> Option<SystemTime> {
    let Ok(entries) = fs::read_dir(path) else {
        return modified(path);
    };
    let files = entries.filter_map(|entry| newest(&entry.ok()?.path()));
    files.max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_sources_of_the_pages_exist() {
        for source in SOURCES {
            assert!(newest(&folder().join(source)).is_some(), "{source}");
        }
    }

    #[test]
    fn the_lock_file_names_no_registry() {
        let lock = fs::read_to_string(folder().join("package-lock.json")).unwrap();
        assert!(!lock.contains("\"resolved\""));
    }
}
