//! Python with packages, each set of packages in a virtual environment of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The options of pip that keep its output to errors.
const INSTALL: [&str; 5] = [
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
];

/// The Python of the environment `name` with these packages. The environment is made once in each `directory`, such as
/// `CARGO_TARGET_TMPDIR`.
#[must_use]
pub fn python(directory: &str, name: &str, packages: &[&str]) -> PathBuf {
    let folder = Path::new(directory).join(name);
    let (python, complete) = (folder.join("bin/python"), folder.join("complete"));
    if !complete.is_file() {
        let _ = std::fs::remove_dir_all(&folder);
        succeed(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        succeed(Command::new(&python).args(INSTALL).args(packages));
        std::fs::write(complete, "").unwrap();
    }
    python
}

/// Runs a command, and panics with its messages if it fails.
pub fn succeed(command: &mut Command) -> Output {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {text}");
    output
}
