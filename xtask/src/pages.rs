//! The portal's pages: building with Node.js, browser tests, and pictures.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use serde::Deserialize;

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
    let report = folder().join("node_modules/.vitest/report.json");
    let mut command = command_of(&["run", script, "--", "--reporter=default", "--reporter=json"]);
    command
        .arg(format!("--outputFile.json={}", report.display()))
        .env("AZMON", programs.path("azmon")?)
        .env("AZMON_SERVICES", programs.path("services")?)
        .env("AZMON_PICTURES", workspace().join("docs/portal"));
    // An earlier report would tell of an earlier run.
    fs::remove_file(&report).or_else(|error| match error.kind() {
        ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })?;
    command::run(command).map_err(|error| match fs::read_to_string(&report) {
        Ok(report) => format!("{error}\n{}", failures(&report)).into(),
        Err(_) => error,
    })
}

/// The report of a test run in Jest's JSON format.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TestReport {
    test_results: Vec<TestFile>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TestFile {
    name: String,
    status: String,
    /// Why the file as a whole failed.
    #[serde(default)]
    message: String,
    assertion_results: Vec<TestCase>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TestCase {
    full_name: String,
    status: String,
    #[serde(default)]
    failure_messages: Vec<String>,
}

/// Names the failed tests of a report with the first line of each message, so that a summary is enough to find them.
fn failures(report: &str) -> String {
    let report: TestReport = match serde_json::from_str(report) {
        Ok(report) => report,
        Err(error) => return format!("the report of the tests cannot be read: {error}"),
    };
    let mut lines = Vec::new();
    for file in report
        .test_results
        .iter()
        .filter(|file| file.status == "failed")
    {
        let name = file.name.rsplit('/').next().unwrap_or(&file.name);
        let failed = file
            .assertion_results
            .iter()
            .filter(|case| case.status == "failed");
        let before = lines.len();
        lines.extend(failed.map(|case| {
            let message = case.failure_messages.first().map_or("", String::as_str);
            format!("{name}: {}: {}", case.full_name, first_line(message))
        }));
        if lines.len() == before {
            lines.push(format!("{name}: {}", first_line(&file.message)));
        }
    }
    lines.join("\n")
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Installs the packages of the lock file, once.
fn install() -> Result {
    packages::provide_node(NODE)?;
    let lock = modified(&folder().join("package-lock.json"));
    let installed = modified(&folder().join("node_modules/.package-lock.json"));
    if installed.is_some() && lock <= installed {
        return Ok(());
    }
    // `npm ci` fails if a registry lacks optional packages for other systems; without `--no-save`, `npm install` leaves
    // such packages out of the lock file, or adds them.
    npm(&["install", "--no-audit", "--no-fund", "--no-save"])
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
    fn failures_name_the_test_and_the_first_line_of_its_message() {
        let report = r#"{"numTotalTests": 2, "testResults": [
            {"name": "/pages/map.test.ts", "status": "failed", "message": "", "assertionResults": [
                {"fullName": "map zooms", "status": "failed", "failureMessages": ["Error: no node\n    at map.ts"]},
                {"fullName": "map pans", "status": "passed", "failureMessages": []}]},
            {"name": "/pages/calls.test.ts", "status": "failed", "message": "no portal\nat", "assertionResults": []},
            {"name": "/pages/logs.test.ts", "status": "passed", "message": "", "assertionResults": []}]}"#;
        let expected = "map.test.ts: map zooms: Error: no node\ncalls.test.ts: no portal";
        assert_eq!(failures(report), expected);
        assert!(failures("{").starts_with("the report of the tests cannot be read"));
    }

    #[test]
    fn the_lock_file_names_no_registry() {
        let lock = fs::read_to_string(folder().join("package-lock.json")).unwrap();
        assert!(!lock.contains("\"resolved\""));
    }
}
