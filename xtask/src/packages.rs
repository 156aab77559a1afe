//! System programs that the tests run, and the packages that contain them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::command::run;
use crate::error::Result;

/// A program that the tests need. Add a line to [`NEEDS`] for a further program.
#[derive(Debug, Clone, Copy)]
struct Need {
    program: &'static str,
    /// Folders beside those of `PATH`, for programs that distributions install outside `PATH`.
    folders: &'static [&'static str],
    /// The package name in Debian and Ubuntu.
    package: &'static str,
    reason: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        program: "cc",
        folders: &[],
        package: "build-essential",
        reason: "TLS (aws-lc) is compiled from C",
    },
    Need {
        program: "kill",
        folders: &[],
        package: "procps",
        reason: "programs are tested to end when they are told to",
    },
    Need {
        program: "npm",
        folders: &[],
        package: "npm",
        reason: "the Azure SDK is tested against Azurite, a program of Node.js",
    },
    Need {
        program: "python3",
        folders: &[],
        package: "python3-venv",
        reason: "the forwarder and the query API are tested with their clients for Python",
    },
];

/// Installs missing programs, or reports the packages to install.
pub(crate) fn provide() -> Result {
    let path = env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = env::split_paths(&path).collect();
    let mut missing = missing(NEEDS, &path, Path::is_file);
    missing.extend(databases(&path));
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    if is_root() && exists("apt-get", &path) {
        println!("installing {}", packages.join(", "));
        return install(&packages);
    }
    Err(instructions(&missing).into())
}

/// The browser for the tests of the pages.
const BROWSER: Need = Need {
    program: "chromium",
    folders: &[],
    package: "chromium",
    reason: "the portal's pages are tested in it",
};

/// Installs the browser, or reports the package to install.
pub(crate) fn provide_browser() -> Result {
    provide_all(&[BROWSER])
}

/// Installs Node.js, or reports the package to install. If the installed version is too old, it only reports
/// this, since the user chooses the other version.
pub(crate) fn provide_node(oldest: u32) -> Result {
    let need = |program, package| Need {
        program,
        folders: &[],
        package,
        reason: "the portal's pages are built with it",
    };
    provide_all(&[need("node", "nodejs"), need("npm", "npm")])?;
    let output = Command::new("node").arg("--version").output()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next();
    match major.and_then(|major| major.parse::<u32>().ok()) {
        Some(major) if major >= oldest => Ok(()),
        _ => Err(
            format!("node is {version}; the portal's pages are built with {oldest} or newer")
                .into(),
        ),
    }
}

fn provide_all(needs: &[Need]) -> Result {
    let path = env::var_os("PATH").unwrap_or_default();
    let path: Vec<_> = env::split_paths(&path).collect();
    let missing = missing(needs, &path, Path::is_file);
    if missing.is_empty() {
        return Ok(());
    }
    let packages: Vec<_> = missing.iter().map(|need| need.package).collect();
    if is_root() && exists("apt-get", &path) {
        println!("installing {}", packages.join(", "));
        return install(&packages);
    }
    Err(instructions(&missing).into())
}

/// A database server, and the environment variable of an existing server that replaces it.
struct Database {
    variable: &'static str,
    /// The folder that contains a folder for each version, with the programs in `bin`.
    versions: &'static str,
    need: Need,
}

const DATABASES: [Database; 2] = [
    Database {
        variable: "AZMON_TEST_POSTGRES_URL",
        versions: "/usr/lib/postgresql",
        need: Need {
            program: "postgres",
            folders: &[],
            package: "postgresql",
            reason: "queries are tested on a real server",
        },
    },
    Database {
        variable: "AZMON_TEST_MYSQL_URL",
        versions: "",
        need: Need {
            program: "mariadbd",
            folders: &["/usr/sbin"],
            package: "mariadb-server",
            reason: "queries are tested on a real server",
        },
    },
];

/// The missing database servers, unless existing servers replace them.
fn databases(path: &[PathBuf]) -> impl Iterator<Item = Need> {
    DATABASES.iter().filter_map(|database| {
        if env::var_os(database.variable).is_some() {
            return None;
        }
        let versions = fs::read_dir(database.versions).into_iter().flatten();
        let versions = versions.flatten().map(|version| version.path().join("bin"));
        let path: Vec<_> = path.iter().cloned().chain(versions).collect();
        missing(&[database.need], &path, Path::is_file).pop()
    })
}

fn missing(needs: &[Need], path: &[PathBuf], is_file: impl Fn(&Path) -> bool) -> Vec<Need> {
    let is_there = |need: &Need| {
        let folders = need.folders.iter().map(Path::new);
        path.iter()
            .map(PathBuf::as_path)
            .chain(folders)
            .any(|folder| is_file(&folder.join(need.program)))
    };
    needs
        .iter()
        .filter(|need| !is_there(need))
        .copied()
        .collect()
}

fn exists(program: &str, path: &[PathBuf]) -> bool {
    path.iter().any(|folder| folder.join(program).is_file())
}

fn install(packages: &[&str]) -> Result {
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments);
        command
    };
    run(apt(&["update", "--quiet"]))?;
    let mut command = apt(&["install", "--yes", "--quiet", "--no-install-recommends"]);
    command.args(packages);
    run(command)
}

fn instructions(missing: &[Need]) -> String {
    let mut text = "the tests need programs that are not here; install them:".to_owned();
    for need in missing {
        let Need {
            program,
            package,
            reason,
            ..
        } = need;
        text += &format!("\n  {program} (Debian package {package}): {reason}");
    }
    text
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: Need = Need {
        program: "initdb",
        folders: &["/usr/lib/postgresql/15/bin"],
        package: "postgresql",
        reason: "a database is started",
    };

    fn is_missing(there: &str) -> bool {
        let path = [PathBuf::from("/bin"), PathBuf::from("/usr/bin")];
        !missing(&[NEED], &path, |file| file == Path::new(there)).is_empty()
    }

    #[test]
    fn a_program_is_looked_for_in_the_path_and_in_its_own_folders() {
        assert!(!is_missing("/usr/bin/initdb"));
        assert!(!is_missing("/usr/lib/postgresql/15/bin/initdb"));
        assert!(is_missing("/opt/initdb"));
    }

    #[test]
    fn missing_programs_are_named_with_their_package_and_reason() {
        let text = instructions(&[NEED]);
        for part in ["initdb", "postgresql", "a database is started"] {
            assert!(text.contains(part), "{text}");
        }
    }
}
