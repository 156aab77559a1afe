//! `kql_cases FILE`: runs every query of a file, and compares the answers; exits with 1 if a case of tier 1 or 2
//! fails.

use std::process::ExitCode;

use azmon_tests::kql::{Case, Report};
use azmon_tests::program::{Checked, check_file};

fn main() -> ExitCode {
    check_file("kql_cases", |text| {
        let cases =
            Case::parse_all(text).map_err(|(line, error)| format!("line {line}: {error}"))?;
        let report = Report::of(&cases);
        Ok(Checked {
            has_failures: report.failed() > 0,
            report,
        })
    })
}
