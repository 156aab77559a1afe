use std::process::Command;

use super::process::Process;
use super::{Callgrind, Figure, Plan, Programs, service};
use crate::{Area, Case, Method, Result};

/// Operations with which allocations are counted: of buffers that grow at times, little remains.
const COUNTED: u64 = 400;
/// Operations of each case when it is only seen whether it runs.
const SMOKE: u64 = 3;

/// What was measured of a case, of one operation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CaseResult {
    /// The case's id.
    pub id: &'static str,
    /// By round. The rounds of all cases of an area were taken in turn.
    pub nanoseconds: Vec<f64>,
    /// How often was allocated, if it was counted.
    pub allocations: Option<f64>,
    /// How many bytes were allocated, if they were counted.
    pub bytes: Option<f64>,
    /// Instructions, if they were counted.
    pub instructions: Option<f64>,
    /// What else the case says.
    pub figures: Vec<Figure>,
}

/// Measures every case of an area.
///
/// # Errors
///
/// When a case cannot be started, ends early, or delivers another number of spans than it says.
pub fn measure(
    area: &Area,
    plan: &Plan,
    programs: &Programs,
    callgrind: Option<&Callgrind>,
) -> Result<Vec<CaseResult>> {
    let (operations, mut results) = match area.method {
        Method::Once { operations } => return once(area, operations / plan.divisor, programs),
        Method::Service { load, block } => {
            return service::measure(area, load, block, plan, programs, callgrind);
        }
        Method::Rounds { operations, .. } => {
            (operations, rounds(area, operations, plan, programs)?)
        }
    };
    for (case, result) in area.cases.iter().zip(&mut results) {
        if let Some(program) = programs.counting() {
            let counted = COUNTED.min(operations);
            let mut process = Process::start(case, Command::new(program))?;
            process.warm(counted)?;
            let allocations = process.run(counted)?.allocations.unwrap_or_default();
            process.end()?;
            result.allocations = Some(allocations.count as f64 / counted as f64);
            result.bytes = Some(allocations.bytes as f64 / counted as f64);
        }
        if let Some(callgrind) = callgrind {
            let operations = plan.instructions.min(operations);
            result.instructions = Some(callgrind.count(programs.timing(), case, operations)?);
        }
    }
    Ok(results)
}

/// Sees whether every case of an area runs, in a process of its own.
///
/// # Errors
///
/// As [`measure`].
pub fn smoke(area: &Area, programs: &Programs) -> Result {
    if let Method::Service { load, .. } = area.method {
        return service::smoke(area, load, programs);
    }
    for case in &area.cases {
        let mut process = start(case, programs)?;
        process.warm(SMOKE)?;
        process.run(SMOKE)?;
        process.figures()?;
        process.end()?;
    }
    Ok(())
}

/// One long run after the other.
fn once(area: &Area, operations: u64, programs: &Programs) -> Result<Vec<CaseResult>> {
    let run = |case| {
        let mut process = start(case, programs)?;
        process.run(operations)?;
        let figures = process.figures()?.figures;
        process.end()?;
        Ok(CaseResult {
            id: case.id,
            figures,
            ..CaseResult::default()
        })
    };
    area.cases.iter().map(run).collect()
}

/// Short runs in turn. Who is first rotates, since a case inherits the caches of the one before it.
fn rounds(
    area: &Area,
    operations: u64,
    plan: &Plan,
    programs: &Programs,
) -> Result<Vec<CaseResult>> {
    let mut running = Vec::with_capacity(area.cases.len());
    for case in &area.cases {
        let mut process = start(case, programs)?;
        process.warm(operations)?;
        process.warm(operations)?;
        let result = CaseResult {
            id: case.id,
            ..CaseResult::default()
        };
        running.push((process, result));
    }
    for round in 0..plan.rounds {
        let first = round % running.len().max(1);
        let (before, after) = running.split_at_mut(first);
        for (process, result) in after.iter_mut().chain(before) {
            let time = process.run(operations)?.nanoseconds;
            result.nanoseconds.push(time as f64 / operations as f64);
        }
    }
    let finish = |(mut process, mut result): (Process<'_>, CaseResult)| {
        result.figures = process.figures()?.figures;
        process.end()?;
        Ok(result)
    };
    running.into_iter().map(finish).collect()
}

fn start<'a>(case: &'a Case, programs: &Programs) -> Result<Process<'a>> {
    Process::start(case, Command::new(programs.timing()))
}
