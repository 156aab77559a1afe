//! `kql_cases FILE`: runs every query of a file, and compares the answers; exits with 1 if a case of tier 1 or 2
//! fails.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::process::ExitCode;

use azmon_tests::kql::{Case, Report};

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: kql_cases FILE");
        return ExitCode::from(2);
    };
    let cases = std::fs::read_to_string(&path)
        .map_err(|error| error.to_string())
        .and_then(|text| {
            Case::parse_all(&text).map_err(|(line, error)| format!("line {line}: {error}"))
        });
    match cases {
        Ok(cases) => {
            let report = Report::of(&cases);
            println!("{report}");
            ExitCode::from(u8::from(report.failed() > 0))
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::from(2)
        }
    }
}
