//! Processes that are killed at any moment, and their successors.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use azmon::{Storage, Telemetry};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Tracer, TracerProvider};

use crate::child::{self, told};
use crate::disk::Directory;
use crate::endpoint::{Endpoint, Script, connection_string};

const DIRECTORY: &str = "AZMON_IT_DIRECTORY";
const FIRST: &str = "AZMON_IT_FIRST";

/// Number of kills.
const KILLS: u64 = 50;
/// Maximum number of spans that a process ends before it is killed.
const MOST_SPANS: usize = 1_000;
/// Time per span: the oldest spans of a process are far older than the maximum age of lost ones.
const PACE: Duration = Duration::from_millis(2);
/// The numbers of the spans of a process begin at a multiple of this number.
const APART: u64 = 1_000_000;
/// Maximum age of lost spans: guaranteed in durable mode, and in the other mode the time until they are sent.
const PROMISE: Duration = Duration::from_millis(200);
/// A busy machine may delay threads; the guarantee holds for running ones.
const PATIENCE: Duration = Duration::from_millis(1_300);

fn now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis()
}

fn telemetry(durable: bool) -> Telemetry {
    let (_, connection_string) = told();
    let directory = std::env::var(DIRECTORY).unwrap();
    Telemetry::builder()
        .connection_string(connection_string)
        .environment(|_| None)
        .storage(Storage::at(directory).durable(durable))
        .max_export_delay(Duration::from_millis(50))
        .standard_metrics(false)
        .performance_counters(false)
        .sdk_statistics(false)
        .install_globally(false)
        .build()
        .unwrap()
}

/// In the child: ends spans until the process is killed, and prints the number and the time of each.
#[test]
#[ignore = "other tests run it in a child process"]
fn child() {
    let (task, _) = told();
    if task == "drain" {
        return drain();
    }
    let telemetry = telemetry(task == "durable");
    let tracer = telemetry.tracer_provider().tracer("it");
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    let start = Instant::now();
    let mut output = std::io::stdout();
    for n in first.. {
        tracer.in_span(n.to_string(), |context| {
            use opentelemetry::trace::TraceContextExt;
            context.span().set_attribute(KeyValue::new("n", n as i64));
        });
        // A whole line at a time: the process may end between two.
        let line = format!("\nspan {n} {}\n", now());
        output.write_all(line.as_bytes()).unwrap();
        output.flush().unwrap();
        let next = start + PACE * u32::try_from(n - first + 1).unwrap();
        while let Some(left) = next.checked_duration_since(Instant::now()) {
            std::thread::park_timeout(left);
        }
    }
}

/// Sends the items that the killed processes left.
fn drain() {
    loop {
        let telemetry = telemetry(false);
        telemetry.shutdown(Duration::from_secs(10)).unwrap();
        let statistics = telemetry.statistics();
        if statistics.disk_batches == 0 && statistics.recovered.sent == 0 {
            return;
        }
    }
}

/// A process that ends spans.
struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
    /// The spans that have ended, with their times.
    ended: BTreeMap<u64, u128>,
}

impl Process {
    fn start(task: &str, address: SocketAddr, directory: &Directory, first: u64) -> Self {
        let mut child = child::command("kill::child", task, connection_string(address))
            .env(DIRECTORY, directory.path())
            .env(FIRST, first.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            output,
            ended: BTreeMap::new(),
        }
    }

    /// Waits until this number of spans have ended, or the process has.
    fn wait_for(&mut self, spans: usize) {
        let mut line = String::new();
        while self.ended.len() < spans {
            line.clear();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return;
            }
            let mut words = line.split_whitespace();
            if words.next() == Some("span")
                && let (Some(n), Some(time)) = (words.next(), words.next())
                && let (Ok(n), Ok(time)) = (n.parse(), time.parse())
            {
                self.ended.insert(n, time);
            }
        }
    }

    /// Kills the process. Returns the spans that have ended, and the time of the kill.
    fn kill(mut self) -> (BTreeMap<u64, u128>, u128) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let death = now();
        self.wait_for(usize::MAX);
        (self.ended, death)
    }
}

fn send_stored_items(endpoint: &Endpoint, directory: &Directory) {
    let mut process = Process::start("drain", endpoint.address(), directory, 0);
    process.wait_for(usize::MAX);
    assert!(process.child.wait().unwrap().success());
}

/// The number of arrivals of each span.
fn arrived(endpoint: &Endpoint) -> BTreeMap<u64, usize> {
    let mut arrived = BTreeMap::new();
    for received in endpoint.received() {
        for name in received.names() {
            *arrived.entry(name.parse().unwrap()).or_default() += 1;
        }
    }
    arrived
}

/// Kills processes that send to `address`, by default to the endpoint that also receives the stored spans in the end.
fn kill_again_and_again(task: &str, address: Option<SocketAddr>) {
    let directory = Directory::new(task);
    let endpoint = Endpoint::start(vec![Script::Accept; 1_000_000]);
    let address = address.unwrap_or_else(|| endpoint.address());
    let mut lives = Vec::new();
    for round in 0..KILLS {
        let mut process = Process::start(task, address, &directory, round * APART);
        process.wait_for(fastrand::usize(1..=MOST_SPANS));
        lives.push(process.kill());
    }
    send_stored_items(&endpoint, &directory);
    let arrived = arrived(&endpoint);
    let bound = (PROMISE + PATIENCE).as_millis();
    let (mut ended, mut promised, mut lost) = (0, 0, 0);
    for (spans, death) in &lives {
        assert!(!spans.is_empty(), "a process that never worked");
        for (n, time) in spans {
            let is_promised = time + bound < *death;
            let is_lost = !arrived.contains_key(n);
            assert!(
                !is_promised || !is_lost,
                "{n} is lost, {} ms old",
                death - time
            );
            promised += usize::from(is_promised);
            lost += usize::from(is_lost);
        }
        ended += spans.len();
    }
    assert!(promised > 0, "every process was too young for the promise");
    assert!(lost < ended / 2, "{lost} of {ended}");
    // Only items of uploads that ran at a kill may arrive twice.
    let doubled = arrived.values().filter(|times| **times > 1).count();
    assert!(doubled < ended / 2, "{doubled} of {ended}");
    assert!(arrived.values().all(|times| *times <= 2));
}

#[test]
fn a_process_that_is_killed_loses_no_more_than_was_promised_in_durable_mode() {
    // No upload is ever read: only the disk keeps the spans of a process.
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    kill_again_and_again("durable", Some(silent.local_addr().unwrap()));
}

#[test]
fn a_killed_process_loses_only_unsent_items() {
    kill_again_and_again("normal", None);
}

#[test]
fn processes_share_a_directory_and_send_nothing_twice() {
    for number in [2, 5] {
        let directory = Directory::new("shared");
        let endpoint = Endpoint::start(vec![Script::Accept; 1_000_000]);
        let address = endpoint.address();
        let start = |number| Process::start("durable", address, &directory, number * APART);
        let mut processes: Vec<_> = (0..number).map(start).collect();
        for process in &mut processes {
            process.wait_for(300);
        }
        let before = arrived(&endpoint);
        assert!(!before.is_empty());
        assert!(
            before.values().all(|times| *times == 1),
            "twice while all live"
        );
        let lives: Vec<_> = processes.into_iter().map(Process::kill).collect();
        send_stored_items(&endpoint, &directory);
        let arrived = arrived(&endpoint);
        assert!(arrived.values().all(|times| *times <= 2));
        let bound = (PROMISE + PATIENCE).as_millis();
        for (n, time) in lives.iter().flat_map(|(spans, _)| spans) {
            let death = lives[(n / APART) as usize].1;
            assert!(
                time + bound >= death || arrived.contains_key(n),
                "{n} is lost"
            );
        }
    }
}
