use std::io::{BufRead, Write};

use super::clock::thread_time;
use super::protocol::{Answer, Order};
use super::{Allocations, Count, Workload};
use crate::Result;

/// Executes `orders` until they end: the main loop of a case's process.
pub(crate) fn serve(
    workload: &mut dyn Workload,
    count: Option<Count>,
    orders: impl BufRead,
    mut answers: impl Write,
) -> Result {
    for order in orders.lines() {
        let answer = match serde_json::from_str(&order?)? {
            Order::Warm(operations) => warm(workload, operations),
            Order::Run(operations) => run(workload, operations, count),
            Order::Figures => Answer {
                figures: workload.figures(),
                ..Answer::default()
            },
            Order::Addresses => Answer {
                addresses: workload.addresses(),
                ..Answer::default()
            },
            Order::Settle => {
                workload.settle();
                Answer::default()
            }
        };
        serde_json::to_writer(&mut answers, &answer)?;
        answers.write_all(b"\n")?;
        answers.flush()?;
    }
    Ok(())
}

fn warm(workload: &mut dyn Workload, operations: u64) -> Answer {
    workload.prepare(operations);
    workload.run(operations);
    workload.settle();
    Answer {
        delivered: workload.delivered(),
        ..Answer::default()
    }
}

fn run(workload: &mut dyn Workload, operations: u64, count: Option<Count>) -> Answer {
    workload.prepare(operations);
    let mut allocations = None;
    let start = thread_time();
    match count {
        Some(count) => allocations = Some(counted(workload, operations, count)),
        None => measured(workload, operations),
    }
    let time = thread_time().saturating_sub(start);
    workload.settle();
    Answer {
        nanoseconds: u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
        allocations,
        delivered: workload.delivered(),
        ..Answer::default()
    }
}

fn counted(workload: &mut dyn Workload, operations: u64, count: Count) -> Allocations {
    count(&mut || measured(workload, operations))
}

/// Callgrind identifies this function by its name, and counts only inside it.
#[inline(never)]
pub(super) fn measured(workload: &mut dyn Workload, operations: u64) {
    workload.run(operations);
}
