use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::command::{self, cargo};
use crate::error::{Error, Result};
use crate::public_api::{self, Library};
use crate::{bench, demo, dependencies, links, pages, structure, test};

/// A step that must pass.
struct Step {
    name: String,
    action: Box<dyn FnOnce() -> Result>,
}

impl Step {
    fn new(name: &str, action: impl FnOnce() -> Result + 'static) -> Self {
        Self {
            name: name.to_owned(),
            action: Box::new(action),
        }
    }

    fn command(name: String, command: Command) -> Self {
        Self {
            name,
            action: Box::new(|| command::run(command)),
        }
    }

    fn run(self) -> Report {
        println!("\n=== {}", self.name);
        let start = Instant::now();
        let failure = (self.action)().err();
        Report {
            name: self.name,
            failure,
            time: start.elapsed(),
        }
    }
}

/// The outcome of a step.
struct Report {
    name: String,
    failure: Option<Error>,
    time: Duration,
}

/// Runs every step, and then prints the duration of each.
pub(crate) fn run() -> Result {
    run_all(steps()?)
}

/// Runs every step, even after a failed one, so that one run reports all failures.
fn run_all(steps: Vec<Step>) -> Result {
    let reports: Vec<_> = steps.into_iter().map(Step::run).collect();
    println!("\n=== summary");
    for report in &reports {
        println!("{report}");
    }
    let failed: Vec<_> = reports
        .iter()
        .filter(|report| report.failure.is_some())
        .map(|report| report.name.as_str())
        .collect();
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")).into())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = if self.failure.is_some() {
            "FAILED"
        } else {
            "ok"
        };
        let seconds = self.time.as_secs_f64();
        write!(f, "{mark:<6} {seconds:>7.1} s  {}", self.name)?;
        match &self.failure {
            Some(error) => write!(f, "\n       {error}"),
            None => Ok(()),
        }
    }
}

/// Checks that no crate has circular dependencies between folders or files.
pub(crate) fn structure() -> Result {
    let sources = members()?.iter().map(Package::source).collect::<Vec<_>>();
    structure::check(&sources)?;
    println!("no circle in {} crates", sources.len());
    Ok(())
}

/// Compares the public items of every library with its list, or writes the lists.
pub(crate) fn public_api(options: &public_api::Options) -> Result {
    let libraries: Vec<_> = members()?.iter().filter_map(Package::library).collect();
    public_api::run(options, &libraries)
}

/// Makes the packages of the published crates, and builds each crate from its package.
pub(crate) fn package() -> Result {
    pages::build()?;
    command::run(make_packages(&members()?))
}

/// The pages in the portal's package are built, and no part of a commit.
fn make_packages(members: &[Package]) -> Command {
    let mut command = with(&["package", "--allow-dirty"]);
    for member in members.iter().filter(|member| member.is_published()) {
        command.args(["--package", &member.name]);
    }
    command
}

fn steps() -> Result<Vec<Step>> {
    let mut steps = vec![
        Step::command("fmt".to_owned(), with(&["fmt", "--all", "--check"])),
        Step::command("fmt of the peers".to_owned(), bench::fmt()),
    ];
    steps.push(Step::new("structure", structure));
    steps.push(Step::new("dependencies", dependencies::check));
    steps.push(Step::new("links", links::check));
    steps.push(Step::new("public items", || {
        public_api(&public_api::Options::default())
    }));
    let members = members()?;
    let mut packages = make_packages(&members);
    packages.arg("--no-verify");
    steps.push(Step::command("package".to_owned(), packages));
    let everything = [
        "clippy",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ];
    steps.push(Step::command("clippy".to_owned(), with(&everything)));
    for member in &members {
        steps.extend(member.clippy());
    }
    let mut doc = with(&["doc", "--workspace", "--no-deps"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    steps.push(Step::command("doc".to_owned(), doc));
    steps.push(Step::new("test", test::run));
    steps.push(Step::new("benches --smoke", bench::smoke));
    steps.push(Step::new("demo --once", || {
        demo::run(&demo::Options::once())
    }));
    Ok(steps)
}

fn with(arguments: &[&str]) -> Command {
    let mut command = cargo();
    command.args(arguments);
    command
}

/// The output of `cargo metadata`.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A member of the workspace.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    /// `None` allows every registry.
    publish: Option<Vec<String>>,
    features: BTreeMap<String, Vec<String>>,
}

fn members() -> Result<Vec<Package>> {
    let mut command = with(&["metadata", "--no-deps", "--format-version", "1"]);
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    Ok(metadata.packages)
}

impl Package {
    /// The library, if it is published.
    fn library(&self) -> Option<Library> {
        let folder = self.manifest_path.parent()?.to_owned();
        let is_library = folder.join("src/lib.rs").exists();
        (self.is_published() && is_library).then(|| Library {
            name: self.name.replace('-', "_"),
            folder,
        })
    }

    fn is_published(&self) -> bool {
        self.publish.is_none()
    }

    /// The folder of its modules.
    fn source(&self) -> PathBuf {
        self.manifest_path.with_file_name("src")
    }

    /// A published package alone: in a workspace build, the features of one package hide missing features of
    /// another. Tests enable further features, so only the published targets are checked.
    fn clippy(&self) -> impl Iterator<Item = Step> {
        let sets = if self.is_published() {
            self.feature_sets()
        } else {
            Vec::new()
        };
        sets.into_iter().map(|flag| {
            let mut command = with(&["clippy", "--package", &self.name, "--lib", "--bins"]);
            command.args(flag).args(["--", "-D", "warnings"]);
            let flag = flag.unwrap_or_default();
            Step::command(
                format!("clippy {} {flag}", self.name).trim_end().to_owned(),
                command,
            )
        })
    }

    /// The feature sets that differ from each other.
    fn feature_sets(&self) -> Vec<Option<&'static str>> {
        let enabled = self.enabled_by_default();
        let others = self.features.keys().filter(|name| *name != "default");
        let mut sets = vec![None];
        if !enabled.is_empty() {
            sets.push(Some("--no-default-features"));
        }
        if others
            .into_iter()
            .any(|name| !enabled.contains(&name.as_str()))
        {
            sets.push(Some("--all-features"));
        }
        sets
    }

    /// The features that `default` enables, directly or through others.
    fn enabled_by_default(&self) -> Vec<&str> {
        let mut enabled = Vec::new();
        let mut open = vec!["default"];
        while let Some(name) = open.pop() {
            for feature in self.features.get(name).into_iter().flatten() {
                if !enabled.contains(&feature.as_str()) {
                    enabled.push(feature);
                    open.push(feature);
                }
            }
        }
        enabled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sets(features: &[(&str, &[&str])]) -> Vec<Option<&'static str>> {
        let features = features.iter().map(|(name, enables)| {
            let enables = enables.iter().map(|name| (*name).to_owned());
            ((*name).to_owned(), enables.collect())
        });
        let package = Package {
            name: "p".to_owned(),
            manifest_path: PathBuf::new(),
            publish: None,
            features: features.collect(),
        };
        package.feature_sets()
    }

    const NONE: Option<&str> = Some("--no-default-features");
    const ALL: Option<&str> = Some("--all-features");

    #[test]
    fn a_package_is_checked_with_every_set_of_features_that_differs() {
        assert_eq!(sets(&[]), [None]);
        assert_eq!(sets(&[("default", &[])]), [None]);
        assert_eq!(sets(&[("default", &["a"]), ("a", &[])]), [None, NONE]);
        assert_eq!(sets(&[("a", &[])]), [None, ALL]);
        assert_eq!(
            sets(&[("default", &["a"]), ("a", &[]), ("b", &[])]),
            [None, NONE, ALL]
        );
        assert_eq!(
            sets(&[("default", &["a"]), ("a", &["b", "dep:c"]), ("b", &[])]),
            [None, NONE]
        );
    }

    #[test]
    fn a_failed_step_fails_the_run_and_the_later_steps_run() {
        let passed = || Step::command("passed".to_owned(), with(&["--version"]));
        let steps = vec![
            passed(),
            Step::command("status".to_owned(), with(&["no-such-command"])),
            Step::command("program".to_owned(), Command::new("no-such-program")),
            passed(),
            Step::new("action", || Err("an error".into())),
        ];
        let failure = run_all(steps).unwrap_err();
        assert_eq!(failure.to_string(), "failed: status, program, action");
        run_all(vec![passed()]).unwrap();
    }

    #[test]
    fn the_members_of_the_workspace_are_found() {
        let names: Vec<_> = members()
            .unwrap()
            .into_iter()
            .map(|package| package.name)
            .collect();
        assert!(names.iter().any(|name| name == "azmon-portal"), "{names:?}");
    }
}
