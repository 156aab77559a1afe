//! Limits on what a crate makes its users compile.

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

/// Fails if a crate has more dependencies than its limit, or one that it must not have.
pub(crate) fn check() -> Result {
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

/// The names of the crates that the package compiles, itself among them. A name stands once for each version.
fn crates(limit: &Limit) -> Result<Vec<String>> {
    let mut command = cargo();
    command
        .args(["tree", "--edges", "normal", "--prefix", "none"])
        .args(["--format", "{p}", "--package", limit.package])
        .args(limit.flags);
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<_> = text
        .lines()
        .map(|line| line.trim_end_matches(" (*)"))
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort_unstable();
    lines.dedup();
    let names = lines.iter().filter_map(|line| line.split(' ').next());
    Ok(names.map(str::to_owned).collect())
}
