//! The verdict on a whole recording.

use std::fmt;

use crate::replay::case::Recording;
use crate::replay::judge::judge;
use crate::replay::{log, metrics, span};
use crate::{logs, spans};

/// The result of a replay.
#[derive(Debug, Default)]
pub struct Report {
    /// The number of cases in which every field equals that of an official exporter.
    pub agreed: usize,
    /// The number of cases in which some field differs from both, as a rule allows.
    pub deviated: usize,
    /// Cases in which some field differs from both without a rule, or against the rule's expectation.
    pub failed: Vec<Failure>,
}

/// A case that failed.
#[derive(Debug)]
pub struct Failure {
    /// Name of the case.
    pub case: String,
    /// The failures, one line per field.
    pub lines: Vec<String>,
}

impl Report {
    /// Replays a recording.
    #[must_use]
    pub fn of(recording: &Recording) -> Self {
        let mut report = Self { ..Self::default() };
        let spans = recording.spans.iter().map(|case| {
            let resource = span::resource(&case.input);
            let ours = spans::mapped_for(&span::span(&case.input), &resource);
            (case, ours)
        });
        let logs = recording.logs.iter().map(|case| {
            let resource = span::resource(&case.input);
            let ours = logs::mapped_for(&log::log(&case.input), &resource);
            (case, vec![ours])
        });
        for (case, ours) in spans.chain(logs) {
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
        for case in &recording.metrics {
            let verdict = metrics::judge(case, &metrics::map(&case["input"]));
            match verdict {
                metrics::Verdict::Agreed => report.agreed += 1,
                metrics::Verdict::Deviated(_) => report.deviated += 1,
                metrics::Verdict::Failed(lines) => report.failed.push(Failure {
                    case: case["case"].as_str().unwrap_or_default().to_owned(),
                    lines,
                }),
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
            agreed, deviated, ..
        } = self;
        write!(
            f,
            "{agreed} agreed, {deviated} deviated, {} failed",
            self.failed.len()
        )
    }
}
