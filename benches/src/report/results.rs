use std::fmt;

use jiff::Timestamp;

use super::area::AreaReport;
use super::headlines;
use super::lock::Peers;
use super::table::Table;
use super::{machine, verdict};
use crate::measure::Plan;

/// The results of all areas, with the machine and the versions.
#[derive(Debug)]
pub struct Report<'a> {
    areas: Vec<AreaReport<'a>>,
    circumstances: Vec<(&'static str, String)>,
    notes: &'static str,
}

impl<'a> Report<'a> {
    /// Reads the description of the machine.
    #[must_use]
    pub fn new(areas: Vec<AreaReport<'a>>, peers: &Peers, plan: Plan, callgrind: bool) -> Self {
        let instructions = if callgrind {
            "counted by callgrind, on the working thread"
        } else {
            "not counted: valgrind is not installed"
        };
        let mut circumstances = vec![
            (
                "date",
                Timestamp::now().strftime("%Y-%m-%d %H:%M UTC").to_string(),
            ),
            ("processor", machine::processor()),
            ("system", machine::system()),
            ("compiler", machine::rustc()),
        ];
        circumstances.extend(peers.versions());
        circumstances.extend([
            ("rounds", plan.rounds.to_string()),
            ("instructions", instructions.to_owned()),
        ]);
        Self {
            areas,
            circumstances,
            notes: include_str!("../../NOTES.md"),
        }
    }

    /// The table of targets.
    #[must_use]
    pub fn verdicts(&self) -> String {
        verdict::table(&self.areas).to_string()
    }

    /// The short table of the README.
    #[must_use]
    pub fn headlines(&self) -> String {
        headlines::table(&self.areas).to_string()
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut circumstances = Table::new().text("").text("");
        for (name, value) in &self.circumstances {
            circumstances.push(vec![(*name).to_owned(), value.clone()]);
        }
        write!(
            f,
            "# What azmon costs\n\n\
             Written by `cargo xtask bench`; how to read it is in the documentation of the crate \
             `azmon-benches`. Times are medians of rounds in turn; ratios are medians of the ratios within a \
             round, and say more than times, which the machine changes.\n\n\
             {circumstances}\n\
             ## Targets\n\n\
             Counted above each case's reference.\n\n\
             {}\n{}\n",
            self.verdicts(),
            self.notes
        )?;
        for area in &self.areas {
            write!(f, "{area}")?;
        }
        Ok(())
    }
}
