use std::process::Command;

use super::process::Process;
use super::{Callgrind, CaseResult, Plan, Programs, service};
use crate::{Area, Case, Method, Result};

/// The number of operations for counting allocations, large enough that occasional growth of buffers has little
/// effect.
const COUNTED: u64 = 400;
/// The maximum number of rounds under callgrind, for operations so long that a round has only a few.
const MAX_COUNTED_ROUNDS: u64 = 10;

/// The number of operations of each case in a smoke test.
const SMOKE: u64 = 3;

/// Measures every case of an area.
///
/// # Errors
///
/// If a case cannot be started, ends early, or delivers another number of spans than it states.
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
            let rounds = (plan.instructions / operations).clamp(1, MAX_COUNTED_ROUNDS);
            let counted = callgrind.count(programs.timing(), case, operations, rounds)?;
            result.instructions = Some(counted);
        }
    }
    Ok(results)
}

/// Checks that every case of an area runs in its own process.
///
/// # Errors
///
/// Those of [`measure`].
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

/// The long runs, one after another.
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

/// The short rounds, in turn. The order rotates, since a case inherits the caches of the previous one.
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
