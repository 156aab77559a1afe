//! `live_filters FILE`: runs every case of live metrics of a file; exits with 1 if one fails.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program talks to its user"
)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: live_filters FILE");
        return ExitCode::from(2);
    };
    let report = std::fs::read_to_string(&path)
        .map_err(|error| error.to_string())
        .and_then(|text| azmon_tests::live::run(&text).map_err(|error| error.to_string()));
    match report {
        Ok(report) => {
            println!("{report}");
            ExitCode::from(u8::from(!report.failures.is_empty()))
        }
        Err(error) => {
            eprintln!("{}: {error}", path.display());
            ExitCode::from(2)
        }
    }
}
