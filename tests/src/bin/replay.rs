//! `replay FILE`: replays the recorded cases of a file; exits with 1 if one fails.

use std::process::ExitCode;

use azmon_tests::program::{Checked, check_file};
use azmon_tests::replay::case::Recording;
use azmon_tests::replay::report::Report;

fn main() -> ExitCode {
    check_file("replay", |json| {
        let recording = Recording::parse(json).map_err(|error| error.to_string())?;
        let report = Report::of(&recording);
        Ok(Checked {
            has_failures: !report.failed.is_empty(),
            report,
        })
    })
}
