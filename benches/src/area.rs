//! An area: a kind of work, and its method of measurement.

use std::time::Duration;

use crate::case::Case;
use crate::measure::Load;
use crate::target::Target;

/// A kind of work that every case does with its own instrumentation.
#[derive(Debug)]
pub struct Area {
    /// The name on the command line, and the prefix of the ids of its cases.
    pub name: &'static str,
    /// The title of its table.
    pub title: &'static str,
    /// The name of one operation, in the singular: `request`.
    pub unit: &'static str,
    /// A description of the measured work, in a few sentences.
    pub about: &'static str,
    /// The method of measurement.
    pub method: Method,
    /// The cases, in the order of the table.
    pub cases: Vec<Case>,
    /// The targets of azmon's cases.
    pub targets: Vec<Target>,
    /// The notes on its results, if it can be measured and written by itself.
    pub notes: Option<&'static str>,
}

/// How the cases of an area are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Many short rounds, in turn.
    Rounds {
        /// The operations in a round, few enough that no queue fills up before the flush between rounds.
        operations: u64,
    },
    /// One long run of each case. The report shows only the [figures](crate::Workload::figures) of the run.
    Once {
        /// The operations in the run; a quick run has a fifth.
        operations: u64,
    },
    /// Requests to servers over their sockets, in alternating blocks with and without instrumentation. The reference of
    /// a case is the same service without instrumentation, in the same process.
    Service {
        /// The connections and the rate of requests.
        load: Load,
        /// The duration of a block.
        block: Duration,
    },
}

impl Area {
    /// The case with this id.
    #[must_use]
    pub fn case(&self, id: &str) -> Option<&Case> {
        self.cases.iter().find(|case| case.id == id)
    }
}
