//! The frame of the programs that check the cases of a file.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

/// The report of a check.
#[derive(Debug)]
pub struct Checked<R> {
    /// The report, which is printed.
    pub report: R,
    /// Whether a case failed.
    pub has_failures: bool,
}

/// Checks the text of the file that the only argument names, and prints the report.
///
/// The exit code is 1 if a case failed, and 2 if the file cannot be read.
pub fn check_file<R: Display>(
    program: &str,
    check: impl FnOnce(&str) -> Result<Checked<R>, String>,
) -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: {program} FILE");
        return ExitCode::from(2);
    };
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string());
    match text.and_then(|text| check(&text)) {
        Ok(Checked {
            report,
            has_failures,
        }) => {
            println!("{report}");
            ExitCode::from(u8::from(has_failures))
        }
        Err(error) => {
            eprintln!("{}: {error}", Path::new(&path).display());
            ExitCode::from(2)
        }
    }
}
