//! Servers in separate processes. A client in this process sends them requests, and a receiver in this process gets
//! their telemetry.

use std::mem;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::callgrind::{Callgrind, ThreadCounts};
use super::load::{Clients, Load};
use super::process::Process;
use super::{CaseResult, Figure, Plan, Programs};
use crate::fixtures::{Addresses, Body, Durations, Endpoint, RECEIVER};
use crate::{Area, Case, Result};

/// Requests on each connection before anything is measured.
const WARM: u32 = 250;
/// Rounds of one process. The addresses of code and memory, which decide what a cache holds, differ by process.
const ROUNDS_OF_PROCESS: usize = 4;
/// Pairs of blocks in a round. Short blocks that alternate share the state of the machine, which changes within a second
/// by more than what instrumentation costs.
const PAIRS: u32 = 10;
/// Requests on each connection in a smoke test.
const SMOKE: u32 = 2;

/// A running server, and its client.
struct Running<'a> {
    process: Process<'a>,
    case: &'a Case,
    endpoint: Endpoint,
    bare: Clients,
    layered: Clients,
    /// Requests to the service with instrumentation.
    asked: u64,
    reference: Reference,
    rounds: Vec<Round>,
    bare_durations: Durations,
    layered_durations: Durations,
}

/// The processor time of threads that answer no request, without telemetry.
#[derive(Debug, Clone, Copy, Default)]
struct Reference {
    /// For a request.
    request: Duration,
    /// For the delivery of nothing.
    delivery: Duration,
}

/// The processor time of a round above that of the reference, in nanoseconds per request.
#[derive(Debug, Clone, Copy)]
struct Round {
    requests: f64,
    others: f64,
}

/// Measures the cases in turn: each round of a case has blocks without instrumentation and blocks with it.
pub(super) fn measure(
    area: &Area,
    load: Load,
    block: Duration,
    plan: &Plan,
    programs: &Programs,
    callgrind: Option<&Callgrind>,
) -> Result<Vec<CaseResult>> {
    let each = requests_of_each(load, block);
    let mut running = Vec::with_capacity(area.cases.len());
    for case in &area.cases {
        let mut server = Running::start(case, programs.timing(), load)?;
        server.warm(WARM)?;
        server.refer(each)?;
        running.push(server);
    }
    for round in 0..plan.rounds_of_service {
        if round > 0 && round % ROUNDS_OF_PROCESS == 0 {
            for server in &mut running {
                server.restart(programs.timing(), load, each)?;
            }
        }
        let first = round % running.len().max(1);
        let (before, after) = running.split_at_mut(first);
        for server in after.iter_mut().chain(before) {
            server.round(each, round % 2 == 0)?;
        }
    }
    let mut results = Vec::with_capacity(running.len());
    for server in running {
        let case = server.case;
        let mut result = server.finish()?;
        if let Some(callgrind) = callgrind {
            let counts = instructions(callgrind, programs.timing(), case, load, plan)?;
            result.figures.extend(figures_of(counts));
        }
        results.push(result);
    }
    Ok(results)
}

/// Checks that every case responds, and delivers the stated number of items.
pub(super) fn smoke(area: &Area, load: Load, programs: &Programs) -> Result {
    for case in &area.cases {
        let mut server = Running::start(case, programs.timing(), load)?;
        server.warm(SMOKE)?;
        server.process.end()?;
    }
    Ok(())
}

impl<'a> Running<'a> {
    fn start(case: &'a Case, program: &Path, load: Load) -> Result<Self> {
        let endpoint = Endpoint::start();
        let (process, addresses) = start(case, Command::new(program), endpoint.address())?;
        Ok(Self {
            process,
            case,
            endpoint,
            bare: Clients::connect(addresses.bare, load)?,
            layered: Clients::connect(addresses.layered, load)?,
            asked: 0,
            reference: Reference::default(),
            rounds: Vec::new(),
            bare_durations: Durations::new(),
            layered_durations: Durations::new(),
        })
    }

    /// Replaces the process, and keeps what was measured.
    fn restart(&mut self, program: &Path, load: Load, each: u32) -> Result {
        let mut next = Self::start(self.case, program, load)?;
        next.warm(WARM)?;
        next.refer(each)?;
        next.rounds = mem::take(&mut self.rounds);
        mem::swap(&mut next.bare_durations, &mut self.bare_durations);
        mem::swap(&mut next.layered_durations, &mut self.layered_durations);
        mem::replace(self, next).process.end()
    }

    fn warm(&mut self, each: u32) -> Result {
        self.bare.ask_in_turn(each)?;
        self.layered.ask_in_turn(each)?;
        self.asked += u64::from(self.layered.requests(each));
        self.process.settle()?;
        self.check()
    }

    /// Measures the other threads while nothing is recorded.
    fn refer(&mut self, each: u32) -> Result {
        let start = self.process.times()?;
        for _ in 0..PAIRS {
            self.bare.ask(each)?;
        }
        let asked = self.process.times()?;
        self.process.settle()?;
        self.reference = Reference {
            request: asked.since(start).others / self.requests_of_round(each),
            delivery: self.process.times()?.since(asked).others,
        };
        Ok(())
    }

    /// Alternates blocks with and without instrumentation, and delivers the telemetry at the end. The other threads may
    /// still work for the previous block, so their time is that of the round above the reference.
    fn round(&mut self, each: u32, bare_first: bool) -> Result {
        let start = self.process.times()?;
        let (mut bare, mut layered) = (Duration::ZERO, Duration::ZERO);
        for pair in 0..PAIRS {
            if bare_first == (pair % 2 == 0) {
                bare += self.bare_block(each)?;
                layered += self.layered_block(each)?;
            } else {
                layered += self.layered_block(each)?;
                bare += self.bare_block(each)?;
            }
        }
        self.process.settle()?;
        let others = self.process.times()?.since(start).others;
        let requests = self.requests_of_round(each);
        let reference = self.reference.request * (2 * requests) + self.reference.delivery;
        let above = |time: Duration, reference: Duration| {
            (time.as_nanos() as f64 - reference.as_nanos() as f64) / f64::from(requests)
        };
        self.rounds.push(Round {
            requests: above(layered, bare),
            others: above(others, reference),
        });
        self.check()
    }

    /// The requests of a round with instrumentation, which are as many as those without.
    fn requests_of_round(&self, each: u32) -> u32 {
        PAIRS * self.layered.requests(each)
    }

    fn bare_block(&mut self, each: u32) -> Result<Duration> {
        let before = self.process.times()?;
        self.bare_durations.add(&self.bare.ask(each)?);
        Ok(self.process.times()?.since(before).requests)
    }

    fn layered_block(&mut self, each: u32) -> Result<Duration> {
        let before = self.process.times()?;
        self.layered_durations.add(&self.layered.ask(each)?);
        self.asked += u64::from(self.layered.requests(each));
        Ok(self.process.times()?.since(before).requests)
    }

    /// Fails if an item is missing, because a lost item costs less than a sent one.
    fn check(&self) -> Result {
        let Body {
            spans,
            logs,
            counted,
            ..
        } = self.endpoint.received();
        let complain = |what: &str, arrived: u64, expected: u64| {
            let id = self.case.id;
            Err(format!("{id}: {arrived} {what} have arrived, not {expected}").into())
        };
        if let Some(expected) = self.case.records
            && spans != expected * self.asked
        {
            return complain("spans", spans, expected * self.asked);
        }
        if logs != self.case.logs * self.asked {
            return complain("log records", logs, self.case.logs * self.asked);
        }
        if self.case.counts_requests && counted != self.asked {
            return complain("requests in the standard metric", counted, self.asked);
        }
        Ok(())
    }

    fn finish(mut self) -> Result<CaseResult> {
        let received = self.endpoint.received();
        let microseconds = |of: fn(&Round) -> f64| {
            let values = self.rounds.iter().map(of);
            trimmed_mean(values.collect()) / 1e3
        };
        let added = |share| {
            let layered = self.layered_durations.quantile(share).as_nanos() as f64;
            (layered - self.bare_durations.quantile(share).as_nanos() as f64) / 1e3
        };
        let of_request = |sum: u64| sum as f64 / self.asked as f64;
        let mut figures = vec![
            Figure::new(SUM, microseconds(|round| round.requests + round.others)),
            Figure::new("request threads, µs", microseconds(|round| round.requests)),
            Figure::new("other threads, µs", microseconds(|round| round.others)),
            Figure::new("latency p50, µs", added(0.5)),
            Figure::new("latency p99, µs", added(0.99)),
            Figure::new("bytes sent", of_request(received.wire)),
            Figure::new("items received", of_request(received.spans + received.logs)),
        ];
        figures.extend(self.process.figures()?.figures);
        self.process.end()?;
        Ok(CaseResult {
            id: self.case.id,
            nanoseconds: self
                .rounds
                .iter()
                .map(|round| round.requests + round.others)
                .collect(),
            figures,
            ..CaseResult::default()
        })
    }
}

/// The figure of the processor time that instrumentation adds to a request.
pub(crate) const SUM: &str = "added, µs";
/// The figures of callgrind.
pub(crate) const REQUEST_INSTRUCTIONS: &str = "instructions, request threads";
pub(crate) const REQUEST_MISSES: &str = "I1 misses, request threads";
pub(crate) const OTHER_INSTRUCTIONS: &str = "instructions, other threads";

fn figures_of(counts: ThreadCounts) -> [Figure; 3] {
    [
        Figure::new(REQUEST_INSTRUCTIONS, counts.requests.instructions),
        Figure::new(REQUEST_MISSES, counts.requests.misses),
        Figure::new(OTHER_INSTRUCTIONS, counts.others.instructions),
    ]
}

/// Counts the instructions of a request with instrumentation above one without: two runs that are otherwise equal.
fn instructions(
    callgrind: &Callgrind,
    program: &Path,
    case: &Case,
    load: Load,
    plan: &Plan,
) -> Result<ThreadCounts> {
    let each = u32::try_from(plan.instructions)?.div_ceil(load.connections);
    let run = |layered: bool| {
        callgrind.count_threads(program, |command| {
            let endpoint = Endpoint::start();
            let (mut process, addresses) = start(case, command, endpoint.address())?;
            let mut bare = Clients::connect(addresses.bare, load)?;
            let mut with = Clients::connect(addresses.layered, load)?;
            bare.ask_in_turn(each)?;
            with.ask_in_turn(each)?;
            let measured = if layered { &mut with } else { &mut bare };
            measured.ask_in_turn(each)?;
            process.settle()?;
            process.end()
        })
    };
    let requests = f64::from(each * load.connections);
    Ok(run(true)?.above(run(false)?, requests))
}

fn start(
    case: &Case,
    mut command: Command,
    receiver: SocketAddr,
) -> Result<(Process<'_>, Addresses)> {
    command.env(RECEIVER, receiver.to_string());
    let mut process = Process::start(case, command)?;
    let addresses = process.addresses()?;
    Ok((process, addresses))
}

fn requests_of_each(load: Load, block: Duration) -> u32 {
    let requests = f64::from(load.rate) * block.as_secs_f64();
    (requests / f64::from(load.connections)) as u32
}

/// The mean without the lowest and the highest fifth.
fn trimmed_mean(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let cut = values.len() / 5;
    let middle = values.get(cut..values.len() - cut).unwrap_or_default();
    middle.iter().sum::<f64>() / middle.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trimmed_mean_does_not_care_for_outliers() {
        assert_eq!(trimmed_mean(vec![1e9, 1.0, 2.0, 3.0, -1e9]), 2.0);
        assert_eq!(trimmed_mean(vec![1.0, 2.0]), 1.5);
    }

    #[test]
    fn the_requests_of_a_block_are_those_of_its_time() {
        let load = Load {
            connections: 8,
            rate: 5_000,
        };
        assert_eq!(requests_of_each(load, Duration::from_millis(400)), 250);
    }
}
