//! Processes that are killed at any moment, and their successors.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use azmon::{Storage, Telemetry};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Tracer, TracerProvider};

use crate::endpoint::{Endpoint, Script};
use crate::faults::Directory;

const TASK: &str = "AZMON_IT_TASK";
const CONNECTION_STRING: &str = "AZMON_IT_CONNECTION_STRING";
const DIRECTORY: &str = "AZMON_IT_DIRECTORY";
const IDS: &str = "AZMON_IT_IDS";
const FIRST: &str = "AZMON_IT_FIRST";

/// Number of kills.
const KILLS: usize = 25;
/// Maximum age of lost items: guaranteed in durable mode, and in the other mode the time until they are sent.
const PROMISE: Duration = Duration::from_millis(200);
/// A busy machine may delay threads; the guarantee holds for running ones.
const PATIENCE: Duration = Duration::from_millis(1_800);

fn now() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_millis()
}

fn telemetry(durable: bool) -> Telemetry {
    let variable = |name| std::env::var(name).unwrap();
    Telemetry::builder()
        .connection_string(variable(CONNECTION_STRING))
        .environment(|_| None)
        .storage(Storage::at(variable(DIRECTORY)).durable(durable))
        .max_export_delay(Duration::from_millis(50))
        .standard_metrics(false)
        .performance_counters(false)
        .sdk_statistics(false)
        .install_globally(false)
        .build()
        .unwrap()
}

/// In the child: ends spans until the process is killed, and records each with its time.
#[test]
#[ignore = "run by the tests of this file, in a process of its own"]
fn child() {
    let task = std::env::var(TASK).unwrap();
    if task == "drain" {
        return drain();
    }
    let telemetry = telemetry(task == "durable");
    let tracer = telemetry.tracer_provider().tracer("it");
    let mut ids = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(std::env::var(IDS).unwrap())
        .unwrap();
    let first: u64 = std::env::var(FIRST).unwrap().parse().unwrap();
    for n in first.. {
        tracer.in_span(n.to_string(), |context| {
            use opentelemetry::trace::TraceContextExt;
            context.span().set_attribute(KeyValue::new("n", n as i64));
        });
        ids.write_all(format!("{n} {}\n", now()).as_bytes())
            .unwrap();
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends the items that the killed processes left.
fn drain() {
    let telemetry = telemetry(false);
    let start = Instant::now();
    let is_empty = |telemetry: &Telemetry| {
        let statistics = telemetry.statistics();
        statistics.disk_batches == 0 && statistics.open_items == 0
    };
    // The worker searches for their batches after its start.
    std::thread::sleep(Duration::from_millis(500));
    while !is_empty(&telemetry) && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(20));
    }
    telemetry.shutdown(Duration::from_secs(5)).unwrap();
}

fn start(task: &str, endpoint: &Endpoint, directory: &Directory, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kill::child", "--ignored", "--nocapture"])
        .env(TASK, task)
        .env(CONNECTION_STRING, endpoint.connection_string())
        .env(DIRECTORY, directory.path().join("storage"))
        .env(IDS, directory.path().join("ids"))
        .env(FIRST, first.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The spans that have ended, with their times.
fn ended(directory: &Directory) -> BTreeMap<u64, u128> {
    let text = std::fs::read_to_string(directory.path().join("ids")).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    let number = |(n, time): (&str, &str)| Some((n.parse().ok()?, time.parse().ok()?));
    lines.filter_map(number).collect()
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

fn kill_again_and_again(task: &str) {
    let directory = Directory::new(task);
    std::fs::create_dir_all(directory.path()).unwrap();
    let endpoint = Endpoint::start(vec![Script::Accept; 1_000_000]);
    let mut deaths = Vec::new();
    for round in 0..KILLS {
        let first = round as u64 * 1_000_000;
        let mut child = start(task, &endpoint, &directory, first);
        let deadline = Instant::now() + Duration::from_secs(60);
        while ended(&directory).range(first..).next().is_none() {
            assert!(Instant::now() < deadline, "the child does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..600)));
        child.kill().unwrap();
        deaths.push(now());
        child.wait().unwrap();
    }
    let status = start("drain", &endpoint, &directory, 0).wait().unwrap();
    assert!(status.success());
    let (ended, arrived) = (ended(&directory), arrived(&endpoint));
    let bound = (PROMISE + PATIENCE).as_millis();
    for (n, time) in &ended {
        let death = deaths[(n / 1_000_000) as usize];
        let is_promised = time + bound < death;
        assert!(
            !is_promised || arrived.contains_key(n),
            "{n} is lost, {} ms old",
            death - time
        );
    }
    assert!(ended.len() > 100 * KILLS / 10);
    let lost = ended.keys().filter(|n| !arrived.contains_key(n)).count();
    assert!(lost < ended.len() / 2, "{lost} of {}", ended.len());
    // Only items of uploads that ran at a kill may arrive twice.
    let doubled = arrived.values().filter(|times| **times > 1).count();
    assert!(doubled < ended.len() / 2, "{doubled} of {}", ended.len());
}

#[test]
fn a_process_that_is_killed_loses_no_more_than_was_promised_in_durable_mode() {
    kill_again_and_again("durable");
}

#[test]
fn a_process_that_is_killed_loses_no_more_than_what_was_not_sent() {
    kill_again_and_again("normal");
}

#[test]
fn five_processes_share_a_directory_and_send_nothing_twice() {
    let directory = Directory::new("five");
    std::fs::create_dir_all(directory.path()).unwrap();
    let endpoint = Endpoint::start(vec![Script::Accept; 1_000_000]);
    let children: Vec<_> = (0..5)
        .map(|number| start("durable", &endpoint, &directory, number * 1_000_000))
        .collect();
    let deadline = Instant::now() + Duration::from_secs(60);
    while (0..5).any(|number| {
        ended(&directory)
            .range(number * 1_000_000..(number + 1) * 1_000_000)
            .count()
            < 50
    }) {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(50));
    }
    let before = arrived(&endpoint);
    assert!(
        before.values().all(|times| *times == 1),
        "twice while all live"
    );
    for mut child in children {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(
        start("drain", &endpoint, &directory, 0)
            .wait()
            .unwrap()
            .success()
    );
    let arrived = arrived(&endpoint);
    assert!(arrived.values().all(|times| *times <= 2));
}
