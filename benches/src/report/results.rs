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
            "counted by callgrind, on the working thread; of a service on all threads"
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
            ("load", machine::load()),
        ];
        circumstances.extend(peers.versions());
        circumstances.extend([
            (
                "rounds",
                format!("{}, of a service {}", plan.rounds, plan.rounds_of_service),
            ),
            ("instructions", instructions.to_owned()),
        ]);
        Self {
            areas,
            circumstances,
            notes: include_str!("../../notes/loops.md"),
        }
    }

    /// The part of an area that can be measured and written alone.
    fn part(&self, area: &AreaReport<'_>, notes: &str) -> String {
        let circumstances = self.circumstances.iter();
        let told: Vec<_> = circumstances
            .map(|(name, value)| format!("{name}: {value}"))
            .collect();
        format!(
            "{area}\nCircumstances: {}.\n\n{}\n{notes}\n",
            told.join("; "),
            verdict::table([area])
        )
    }

    /// The parts of the areas that are written by themselves, each below its headline.
    pub(super) fn parts(&self) -> impl Iterator<Item = (String, String)> {
        let parts = self.areas.iter();
        parts.filter_map(|area| Some((area.headline(), self.part(area, area.notes()?))))
    }

    /// The table of targets.
    #[must_use]
    pub fn verdicts(&self) -> String {
        verdict::table(&self.areas).to_string()
    }

    /// The short table of the README, which is of services alone; `None` if none was measured.
    #[must_use]
    pub fn headlines(&self) -> Option<String> {
        let mut services = self
            .areas
            .iter()
            .filter(|area| area.is_service())
            .peekable();
        services.peek()?;
        Some(headlines::table(services).to_string())
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut circumstances = Table::new().text("").text("");
        for (name, value) in &self.circumstances {
            circumstances.push(vec![(*name).to_owned(), value.clone()]);
        }
        let others = self.areas.iter().filter(|area| area.notes().is_none());
        write!(
            f,
            "# What azmon costs\n\n\
             Written by `cargo xtask bench`; how to read it is in the documentation of the crate \
             `azmon-benches`. Times are medians of rounds in turn; ratios are medians of the ratios within a \
             round, and say more than times, which the machine changes.\n\n\
             {circumstances}\n"
        )?;
        for (_, part) in self.parts() {
            f.write_str(&part)?;
        }
        write!(
            f,
            "## Targets\n\n\
             Counted above each case's reference.\n\n\
             {}\n{}\n",
            verdict::table(others.clone()),
            self.notes
        )?;
        for area in others {
            write!(f, "{area}")?;
        }
        Ok(())
    }
}
