//! `replay FILE`: replays the recorded cases of a file; exits with 1 if one fails.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::process::ExitCode;

use azmon_tests::replay::case::Recording;
use azmon_tests::replay::report::Report;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: replay FILE");
        return ExitCode::from(2);
    };
    let recording = std::fs::read_to_string(&path)
        .map_err(|error| error.to_string())
        .and_then(|json| Recording::parse(&json).map_err(|error| error.to_string()));
    match recording {
        Ok(recording) => {
            let report = Report::of(&recording);
            println!("{report}");
            ExitCode::from(u8::from(!report.failed.is_empty()))
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::from(2)
        }
    }
}
