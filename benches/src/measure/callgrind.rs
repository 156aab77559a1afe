use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::process::Process;
use crate::fixtures::REQUEST_THREADS;
use crate::{Case, Error, Result};

/// Separate counts for each thread.
const OPTIONS: [&str; 3] = ["--quiet", "--tool=callgrind", "--separate-threads=yes"];
/// Counts only inside the measured function.
const MEASURED: [&str; 2] = [
    "--collect-atstart=no",
    "--toggle-collect=azmon_benches::measure::child::measured*",
];
/// With the instruction cache that most processors have. The last level is given so that valgrind does not warn of
/// the machine's.
const CACHE: [&str; 3] = ["--cache-sim=yes", "--I1=32768,8,64", "--LL=33554432,16,64"];

const INSTRUCTIONS: &str = "Ir";
const MISSES: &str = "I1mr";

/// Callgrind, valgrind's tool that counts instructions.
#[derive(Debug)]
pub struct Callgrind {
    folder: PathBuf,
}

/// The counts of a process, by thread.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct ThreadCounts {
    /// The threads that answer requests.
    pub(super) requests: Counts,
    /// All other threads.
    pub(super) others: Counts,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) instructions: f64,
    /// Misses of the instruction cache.
    pub(super) misses: f64,
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

    /// The instructions of one operation on the working thread, over rounds of `operations`, after a round of
    /// warm-up. A single round of few operations would depend on the state of the allocator.
    pub(super) fn count(
        &self,
        program: &Path,
        case: &Case,
        operations: u64,
        rounds: u64,
    ) -> Result<f64> {
        let total = self.within_folder(|output| {
            let mut process = Process::start(case, command(program, &MEASURED, output))?;
            process.warm(operations)?;
            for _ in 0..rounds {
                process.run(operations)?;
            }
            process.end()?;
            let profile = fs::read_to_string(output.with_extension("1")).or_else(|_| {
                let name = format!("{}-01", output.display());
                fs::read_to_string(name)
            })?;
            let total = total(&profile, INSTRUCTIONS).filter(|total| *total > 0);
            total.ok_or_else(|| format!("callgrind counted nothing in {}", case.id).into())
        })?;
        // Operations are few enough for a float.
        Ok(total as f64 / (operations * rounds) as f64)
    }

    /// Counts the instructions of all threads of a process, which `run` starts with a command and ends.
    pub(super) fn count_threads(
        &self,
        program: &Path,
        run: impl FnOnce(Command) -> Result,
    ) -> Result<ThreadCounts> {
        self.within_folder(|output| {
            run(command(program, &CACHE, output))?;
            let mut counts = ThreadCounts::default();
            for file in fs::read_dir(&self.folder)? {
                let profile = fs::read_to_string(file?.path())?;
                // The file without a thread's number stays empty.
                if !profile.is_empty() {
                    counts.add(&profile)?;
                }
            }
            Ok(counts)
        })
    }

    fn within_folder<T>(&self, work: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
        fs::create_dir_all(&self.folder)?;
        let result = work(&self.folder.join("out"));
        fs::remove_dir_all(&self.folder)?;
        result
    }
}

impl ThreadCounts {
    /// Adds the profile of a thread.
    fn add(&mut self, profile: &str) -> Result {
        let unread = || Error::from("a profile of callgrind cannot be read");
        let thread: usize = value(profile, "thread:").ok_or_else(unread)?.parse()?;
        // The first thread is the main thread; the server starts the threads of its runtime before all others.
        let of = match (2..2 + REQUEST_THREADS).contains(&thread) {
            true => &mut self.requests,
            false => &mut self.others,
        };
        let count = |event| Some(total(profile, event)? as f64);
        of.instructions += count(INSTRUCTIONS).ok_or_else(unread)?;
        of.misses += count(MISSES).ok_or_else(unread)?;
        Ok(())
    }

    /// The counts of one operation above those of another run.
    pub(super) fn above(self, other: Self, operations: f64) -> Self {
        let above = |one: Counts, other: Counts| Counts {
            instructions: (one.instructions - other.instructions) / operations,
            misses: (one.misses - other.misses) / operations,
        };
        Self {
            requests: above(self.requests, other.requests),
            others: above(self.others, other.others),
        }
    }
}

fn command(program: &Path, options: &[&str], output: &Path) -> Command {
    let mut file = OsStr::new("--callgrind-out-file=").to_owned();
    file.push(output);
    let mut command = Command::new("valgrind");
    command.args(OPTIONS).args(options).arg(file).arg(program);
    command
}

/// The sum of an event at the end of a profile.
fn total(profile: &str, event: &str) -> Option<u64> {
    let place = value(profile, "events:")?
        .split(' ')
        .position(|known| known == event)?;
    value(profile, "totals:")?
        .split(' ')
        .nth(place)?
        .parse()
        .ok()
}

fn value<'a>(profile: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = profile.lines();
    lines
        .find_map(|line| line.strip_prefix(name))
        .map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Output of callgrind 3.19, shortened.
    const PROFILE: &str = "# callgrind format\nversion: 1\ncreator: callgrind-3.19.0\npid: 4711\n\
        part: 1\nthread: 1\n\npositions: line\nevents: Ir Dr Dw I1mr\nsummary: 0 0 0 0\n\n\
        ob=(1) /usr/bin/true\nfl=(1) ???\nfn=(1) work\n0 2125 7 8 9\n\ntotals: 2125 7 8 9\n";

    #[test]
    fn the_totals_of_a_profile_are_read() {
        assert_eq!(total(PROFILE, INSTRUCTIONS), Some(2125));
        assert_eq!(total(PROFILE, MISSES), Some(9));
        assert_eq!(total(PROFILE, "Bc"), None);
        assert_eq!(total("# callgrind format\n", INSTRUCTIONS), None);
    }

    #[test]
    fn request_threads_are_recognised_by_their_number() {
        let mut counts = ThreadCounts::default();
        for thread in 1..=2 + REQUEST_THREADS {
            let profile = PROFILE.replace("thread: 1", &format!("thread: {thread}"));
            counts.add(&profile).unwrap();
        }
        let counts = counts.above(ThreadCounts::default(), 1.0);
        assert_eq!(counts.requests.instructions, 2.0 * 2125.0);
        assert_eq!(counts.others.misses, 2.0 * 9.0);
        assert!(counts.clone().add("# callgrind format\n").is_err());
    }
}
