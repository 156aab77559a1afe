//! `live_filters FILE`: runs every case of live metrics of a file; exits with 1 if one fails.

use std::process::ExitCode;

use azmon_tests::live;
use azmon_tests::program::{Checked, check_file};

fn main() -> ExitCode {
    check_file("live_filters", |text| {
        let report = live::run(text).map_err(|error| error.to_string())?;
        Ok(Checked {
            has_failures: !report.failures.is_empty(),
            report,
        })
    })
}
