//! Azurite, the emulator of Azure Storage, for the tests of the Azure SDK example.

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use serde_json::Value;

use crate::command::{run, workspace};
use crate::error::Result;

/// The newest release that supports Node.js 20 and older.
const VERSION: &str = "3.35.0";

/// Installs it below the target folder with npm, unless it is already there.
pub(crate) fn provide() -> Result {
    let target = env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    let folder = workspace().join(target).join("azurite");
    if installed(&folder).as_deref() == Some(VERSION) {
        return Ok(());
    }
    println!("installing azurite {VERSION}");
    fs::create_dir_all(&folder)?;
    run(npm(&folder))
}

fn npm(folder: &Path) -> Command {
    let mut command = Command::new("npm");
    command
        .args([
            "install",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--prefix",
        ])
        .arg(folder)
        .arg(format!("azurite@{VERSION}"));
    command
}

/// The installed version, if any.
fn installed(folder: &Path) -> Option<String> {
    let package = folder.join("node_modules/azurite/package.json");
    let package: Value = serde_json::from_slice(&fs::read(package).ok()?).ok()?;
    Some(package.get("version")?.as_str()?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_without_azurite_has_no_version() {
        assert_eq!(installed(Path::new("/nowhere")), None);
        assert_eq!(installed(&workspace()), None);
    }

    #[test]
    fn npm_installs_this_version_into_the_folder_and_nothing_else() {
        let command = npm(Path::new("/there"));
        let arguments: Vec<_> = command.get_args().collect();
        assert!(arguments.ends_with(&["/there".as_ref(), "azurite@3.35.0".as_ref()]));
        assert!(arguments.contains(&"--no-save".as_ref()));
    }
}
