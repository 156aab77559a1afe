//! The verdict on a whole recording.

use std::fmt;

use crate::replay::case::Recording;
use crate::replay::judge::judge;
use crate::replay::span;
use crate::spans;

/// What came of a replay.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases in which every field is that of one of the officials.
    pub agreed: usize,
    /// Cases in which some field differs from both, by a rule.
    pub deviated: usize,
    /// Cases in which some field differs from both, by no rule or not as it says.
    pub failed: Vec<Failure>,
    /// Logs that the recording holds.
    pub logs: usize,
    /// Metrics that the recording holds.
    pub metrics: usize,
}

/// A case that failed.
#[derive(Debug)]
pub struct Failure {
    /// Name of the case.
    pub case: String,
    /// What is wrong, a line for each field.
    pub lines: Vec<String>,
}

impl Report {
    /// Replays a recording.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let mut report = Self {
            logs: recording.logs.len(),
            metrics: recording.metrics.len(),
            ..Self::default()
        };
        for case in &recording.spans {
            let ours = spans::mapped_for(&span::span(&case.input), &span::resource(&case.input));
            let verdict = judge(case, &ours);
            if !verdict.failures.is_empty() {
                report.failed.push(Failure {
                    case: case.name.clone(),
                    lines: verdict.failures,
                });
            } else if verdict.deviations.is_empty() {
                report.agreed += 1;
            } else {
                report.deviated += 1;
            }
        }
        report
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failed {
            writeln!(f, "{}", failure.case)?;
            for line in &failure.lines {
                writeln!(f, "  {line}")?;
            }
        }
        let Self {
            agreed,
            deviated,
            logs,
            metrics,
            ..
        } = self;
        writeln!(f, "not replayed yet: {logs} logs, {metrics} metrics")?;
        write!(
            f,
            "{agreed} agreed, {deviated} deviated, {} failed",
            self.failed.len()
        )
    }
}
