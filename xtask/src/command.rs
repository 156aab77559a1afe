use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::error::Result;

/// The cargo that runs this task.
pub(crate) fn cargo() -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(workspace());
    command
}

/// The root of the workspace, independent of the current directory.
pub(crate) fn workspace() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path
}

/// Runs a command and shows its output. A failed command is an error.
pub(crate) fn run(mut command: Command) -> Result {
    let status = command
        .status()
        .map_err(|error| format!("cannot run {}: {error}", shown(&command)))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{} failed with {status}", shown(&command)).into())
    }
}

/// The command in the form of a shell.
pub(crate) fn shown(command: &Command) -> String {
    let program = PathBuf::from(command.get_program());
    let program = program.file_stem().unwrap_or_default();
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Built programs of the workspace.
#[derive(Debug)]
pub(crate) struct Programs(Vec<Built>);

/// A message of cargo about a built program.
#[derive(Debug, Deserialize)]
struct Built {
    target: Target,
    executable: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
}

impl Programs {
    /// Builds programs, with the features that the whole workspace enables: the dependencies are those of the tests.
    pub(crate) fn build(programs: &[&str]) -> Result<Self> {
        let mut command = cargo();
        command.args(["build", "--workspace"]);
        command.arg("--message-format=json-render-diagnostics");
        for program in programs {
            command.args(["--bin", program]);
        }
        let output = command.stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err(format!("{} failed", shown(&command)).into());
        }
        let messages = String::from_utf8(output.stdout)?;
        let built = messages
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        Ok(Self(built.collect()))
    }

    /// The path of a program.
    pub(crate) fn path(&self, name: &str) -> Result<&Path> {
        let built = self.0.iter().find(|built| built.target.name == name);
        let built = built.ok_or_else(|| format!("cargo built no program {name}"))?;
        Ok(&built.executable)
    }
}
