//! The command line.

use std::io;
use std::process::ExitCode;

use clap::Parser;

use crate::measure::{self, Callgrind, Count, Plan, Programs};
use crate::report::{self, AreaReport, Peers, Report};
use crate::{Area, Case, Error, Result};

/// A program that measures areas, and that also runs as the process of each case.
#[derive(Debug)]
pub struct Program {
    areas: Vec<Area>,
    peers: Peers,
    count: Option<Count>,
}

/// Measures the cost of azmon.
#[derive(Debug, Parser)]
struct Arguments {
    /// The areas to measure; all of them if none is named.
    areas: Vec<String>,

    /// Take fewer rounds, and write nothing by default.
    #[arg(long)]
    quick: bool,

    /// Write RESULTS.md and the table of the README, also after a quick run. It needs all areas, or only areas that are
    /// written by themselves, whose parts are then replaced: `service`, `portal`.
    #[arg(long)]
    write: bool,

    /// Only check that every case runs.
    #[arg(long, conflicts_with_all = ["quick", "write"])]
    smoke: bool,

    /// Run as the process of a case.
    #[arg(long, hide = true)]
    case: Option<String>,
}

/// The results to write.
#[derive(Debug, Clone, Copy)]
struct Written {
    /// All results, or only the parts that can be written alone.
    is_complete: bool,
}

impl Program {
    /// A program that measures these areas.
    #[must_use]
    pub fn new(areas: Vec<Area>) -> Self {
        Self {
            areas,
            peers: Peers::default(),
            count: None,
        }
    }

    /// Sets the peers. Only a program with peers writes results.
    #[must_use]
    pub fn peers(mut self, peers: Peers) -> Self {
        self.peers = peers;
        self
    }

    /// Adds cases to the area of this name.
    ///
    /// # Panics
    ///
    /// If the area does not exist.
    #[must_use]
    #[expect(
        clippy::panic,
        reason = "a mistake in the program, which its first start shows"
    )]
    pub fn add(mut self, area: &str, cases: Vec<Case>) -> Self {
        match self.areas.iter_mut().find(|known| known.name == area) {
            Some(area) => area.cases.extend(cases),
            None => panic!("there is no area {area}"),
        }
        self
    }

    /// Counts allocations instead of time in the process of a case.
    #[must_use]
    pub fn counting(mut self, count: Count) -> Self {
        self.count = Some(count);
        self
    }

    /// Runs the command line.
    #[must_use]
    #[expect(clippy::print_stderr, reason = "a program's last word")]
    pub fn run(self) -> ExitCode {
        match self.obey(&Arguments::parse()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn obey(self, arguments: &Arguments) -> Result {
        if let Some(id) = &arguments.case {
            return self.serve(id);
        }
        let areas = chosen(&self.areas, &arguments.areas)?;
        let programs = Programs::find()?;
        if arguments.smoke {
            return areas
                .into_iter()
                .try_for_each(|area| measure::smoke(area, &programs));
        }
        let has_peers = !self.peers.is_empty();
        let is_complete = areas.len() == self.areas.len() && has_peers;
        let are_parts = areas.iter().all(|area| area.notes.is_some()) && has_peers;
        if arguments.write && !is_complete && !are_parts {
            return Err(
                "results are written of all areas, or of `service` and `portal`, and with the peers: run \
                 `cargo xtask bench` or `cargo xtask bench service --write`"
                    .into(),
            );
        }
        let writes = arguments.write || (is_complete && !arguments.quick);
        let writes = writes.then_some(Written { is_complete });
        let plan = if arguments.quick {
            Plan::QUICK
        } else {
            Plan::FULL
        };
        self.report(&areas, plan, &programs, writes)
    }

    fn serve(&self, id: &str) -> Result {
        let found = self.areas.iter().find_map(|area| area.case(id));
        let case = found.ok_or_else(|| format!("there is no case {id}"))?;
        let mut workload = case.start();
        let (orders, answers) = (io::stdin().lock(), io::stdout().lock());
        measure::serve(workload.as_mut(), self.count, orders, answers)
    }

    #[expect(
        clippy::print_stdout,
        clippy::print_stderr,
        reason = "what a program prints is what it is for"
    )]
    fn report(
        &self,
        areas: &[&Area],
        plan: Plan,
        programs: &Programs,
        writes: Option<Written>,
    ) -> Result {
        let callgrind = Callgrind::find();
        let mut reports = Vec::with_capacity(areas.len());
        for area in areas {
            eprintln!("{}: {} cases", area.name, area.cases.len());
            let results = measure::measure(area, &plan, programs, callgrind.as_ref())?;
            let report = AreaReport::new(area, results);
            println!("{report}");
            reports.push(report);
        }
        let report = Report::new(reports, &self.peers, plan, callgrind.is_some());
        println!("{}", report.verdicts());
        if let Some(Written { is_complete }) = writes {
            report::write(&report, is_complete)?;
        }
        Ok(())
    }
}

/// The areas with these names, or all areas.
fn chosen<'a>(areas: &'a [Area], names: &[String]) -> Result<Vec<&'a Area>> {
    if names.is_empty() {
        return Ok(areas.iter().collect());
    }
    let find = |name: &String| {
        let area = areas.iter().find(|area| area.name == name);
        area.ok_or_else(|| {
            let known: Vec<_> = areas.iter().map(|area| area.name).collect();
            Error::from(format!("there is no area {name}, but {}", known.join(", ")))
        })
    };
    names.iter().map(find).collect()
}
