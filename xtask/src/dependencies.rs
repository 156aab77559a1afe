//! Limits on what a crate makes its users compile, and the features that tests share with every other build.

use std::collections::BTreeSet;

use crate::command::cargo;
use crate::error::Result;

struct Limit {
    package: &'static str,
    flags: &'static [&'static str],
    /// The crates that may be compiled, with the package itself.
    most: usize,
    /// Crates that may not be among them.
    without: &'static [&'static str],
}

const LIMITS: [Limit; 3] = [
    Limit {
        package: "azmon-envelope",
        flags: &[],
        most: 15,
        without: &["opentelemetry"],
    },
    Limit {
        package: "azmon-tower",
        flags: &["--no-default-features"],
        most: 40,
        without: &["azmon", "axum", "opentelemetry_sdk", "reqwest"],
    },
    Limit {
        package: "azmon-tower",
        flags: &[],
        most: 60,
        without: &["azmon", "opentelemetry_sdk", "reqwest"],
    },
];

/// The package that enables the features of tests in every build.
const FEATURES: &str = "tests/features/Cargo.toml";

/// Fails if a crate has more dependencies than its limit, or one that it must not have; or if only builds with tests
/// enable a feature.
pub(crate) fn check() -> Result {
    limits()?;
    features()
}

fn limits() -> Result {
    for limit in &LIMITS {
        let crates = crates(limit)?;
        let Limit { package, most, .. } = limit;
        let flags = limit.flags.join(" ");
        println!("{} crates: {package} {flags}", crates.len());
        if crates.len() > *most {
            let list = crates.join(", ");
            return Err(format!("{package} {flags} may have {most} crates: {list}").into());
        }
        let is_banned = |name: &&String| limit.without.contains(&name.as_str());
        if let Some(banned) = crates.iter().find(is_banned) {
            return Err(format!("{package} {flags} must not depend on {banned}").into());
        }
    }
    Ok(())
}

/// Fails if the workspace has a dependency with other features in a build without tests. Such a build would compile the
/// dependency again, and all crates above it.
fn features() -> Result {
    let listed = |edges| tree(edges, "{p} with {f}", &["--workspace"]);
    let of_programs = listed("normal,no-proc-macro")?;
    let of_tests = listed("normal,dev,no-proc-macro")?;
    let missing: Vec<_> = of_programs
        .difference(&of_tests)
        .map(String::as_str)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let missing = missing.join("\n  ");
    Err(format!(
        "tests enable further features of these crates; add the features to {FEATURES}:\n  {missing}"
    )
    .into())
}

/// The names of the crates that the package compiles, itself among them. A name stands once for each version.
fn crates(limit: &Limit) -> Result<Vec<String>> {
    let selection = [&["--package", limit.package], limit.flags].concat();
    let lines = tree("normal", "{p}", &selection)?;
    let names = lines.iter().filter_map(|line| line.split(' ').next());
    Ok(names.map(str::to_owned).collect())
}

/// The lines of `cargo tree` without its tree.
fn tree(edges: &str, format: &str, selection: &[&str]) -> Result<BTreeSet<String>> {
    let mut command = cargo();
    command
        .args(["tree", "--prefix", "none", "--edges", edges])
        .args(["--format", format])
        .args(selection);
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(|line| line.trim_end_matches(" (*)"));
    Ok(lines
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect())
}
