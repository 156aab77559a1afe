//! A kind of work, and how it is measured.

use std::time::Duration;

use crate::case::Case;
use crate::measure::Load;
use crate::target::Target;

/// A kind of work, done by every case in its own way.
#[derive(Debug)]
pub struct Area {
    /// By which it is chosen at the command line, and with which the ids of its cases begin.
    pub name: &'static str,
    /// The headline above its table.
    pub title: &'static str,
    /// What one operation is, in the singular: `request`.
    pub unit: &'static str,
    /// What exactly is measured, in a few sentences.
    pub about: &'static str,
    /// How it is measured.
    pub method: Method,
    /// In the order of the table.
    pub cases: Vec<Case>,
    /// What azmon's cases are to reach.
    pub targets: Vec<Target>,
}

/// How the cases of an area are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Many short rounds in turn.
    Rounds {
        /// Operations in a round. Few enough that no queue fills up before it is flushed, between rounds.
        operations: u64,
    },
    /// One long run of each case, of which only its [figures](crate::Workload::figures) are shown.
    Once {
        /// Operations in the run; a quick one has a fifth.
        operations: u64,
    },
    /// Servers that are asked over their sockets, in blocks with and without instrumentation in turn. What a case
    /// takes is counted above the same service without instrumentation, in the same process.
    Service {
        /// How requests come.
        load: Load,
        /// How long a block is.
        block: Duration,
    },
}

impl Area {
    /// Finds a case.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.id == id)
    }
}
