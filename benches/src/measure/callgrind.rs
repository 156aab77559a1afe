use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::process::Process;
use crate::{Case, Result};

/// Counts inside the measured function, separately for each thread.
const OPTIONS: [&str; 5] = [
    "--quiet",
    "--tool=callgrind",
    "--collect-atstart=no",
    "--toggle-collect=azmon_benches::measure::child::measured*",
    "--separate-threads=yes",
];

/// Callgrind, valgrind's tool that counts instructions.
#[derive(Debug)]
pub struct Callgrind {
    folder: PathBuf,
}

impl Callgrind {
    /// Finds callgrind, if it is installed.
    #[must_use]
    pub fn find() -> Option<Self> {
        let mut version = Command::new("valgrind");
        version.arg("--version").stdout(Stdio::null());
        let is_there = version.status().is_ok_and(|status| status.success());
        is_there.then(|| Self {
            folder: env::temp_dir().join(format!("azmon-benches-{}", std::process::id())),
        })
    }

    /// The instructions of one operation on the working thread, after a warm-up with the same number of
    /// operations.
    pub(super) fn count(&self, program: &Path, case: &Case, operations: u64) -> Result<f64> {
        fs::create_dir_all(&self.folder)?;
        let total = self.total(program, case, operations);
        fs::remove_dir_all(&self.folder)?;
        // The number of operations is exact in a float.
        Ok(total? as f64 / operations as f64)
    }

    fn total(&self, program: &Path, case: &Case, operations: u64) -> Result<u64> {
        let output = self.folder.join("out");
        let mut command = Command::new("valgrind");
        command
            .args(OPTIONS)
            .arg(format!("--callgrind-out-file={}", output.display()))
            .arg(program);
        let mut process = Process::start(case, command)?;
        process.warm(operations)?;
        process.run(operations)?;
        process.end()?;
        let profile = fs::read_to_string(output.with_extension("1")).or_else(|_| {
            let name = format!("{}-01", output.display());
            fs::read_to_string(name)
        })?;
        total(&profile).ok_or_else(|| format!("callgrind counted nothing in {}", case.id).into())
    }
}

/// The sum at the end of a profile. Zero means that the measured function was not found.
fn total(profile: &str) -> Option<u64> {
    let line = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals:"))?;
    line.trim().parse().ok().filter(|total| *total > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of callgrind 3.19, shortened.
    const PROFILE: &str = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 4711\n\
        part: 1\nthread: 1\n\npositions: line\nevents: Ir\nsummary: 0\n\n\
        ob=(1) /usr/bin/true\nfl=(1) ???\nfn=(1) work\n0 2125\n\ntotals: 2125\n";

    #[test]
    fn the_total_of_a_profile_is_read() {
        assert_eq!(total(PROFILE), Some(2125));
    }

    #[test]
    fn a_profile_in_which_nothing_was_counted_has_no_total() {
        assert_eq!(total(&PROFILE.replace("2125", "0")), None);
        assert_eq!(total("# callgrind format\n"), None);
    }
}
