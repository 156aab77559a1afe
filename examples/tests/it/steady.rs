//! `steady`: the numbers that it prints add up, and agree with the items that arrive.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use azmon_portal::Portal;
use serde::Deserialize;
use tokio::process::{Child, Command};

use crate::fixture::{portal, program, request, run};

const STEADY: &str = env!("CARGO_BIN_EXE_steady");
/// Maximum age of lost spans: 200 ms are guaranteed, and a busy machine may delay the worker.
const MAY_BE_LOST_MS: u64 = 1_500;

/// The line at the end.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    ended: u64,
    sent: u64,
    stored: u64,
    dropped: u64,
}

impl Line {
    fn parse(printed: &str) -> Self {
        let mut lines = printed.lines();
        let line = serde_json::from_str(lines.next().unwrap()).unwrap();
        assert_eq!(lines.next(), None, "{printed}");
        line
    }
}

/// A directory that is removed with everything in it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let directory = directory.join(format!("steady-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).unwrap();
        Self(directory)
    }

    fn storage(&self) -> PathBuf {
        self.0.join("storage")
    }

    fn ids(&self) -> PathBuf {
        self.0.join("ids")
    }

    /// Makes the file of ids a pipe, so that the test reads each line at once.
    async fn piped_ids(&self) -> tokio::task::JoinHandle<Box<dyn BufRead + Send>> {
        let made = Command::new("mkfifo").arg(self.ids()).status().await;
        assert!(made.unwrap().success());
        let path = self.ids();
        // Opening the pipe waits for the other end.
        tokio::task::spawn_blocking(move || {
            let file = std::fs::File::open(path).unwrap();
            Box::new(BufReader::new(file)) as Box<dyn BufRead + Send>
        })
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn steady(portal: &Portal, rate: u32, seconds: &str) -> Command {
    let mut command = program(STEADY, portal);
    command.args(["--rate", &rate.to_string(), "--seconds", seconds]);
    command
}

/// Makes a program send to an address that accepts connections and never reads.
fn in_an_outage(command: &mut Command, portal: &Portal) -> TcpListener {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap();
    let connection = portal.connection_string();
    let key = connection
        .split(';')
        .find(|part| part.starts_with("InstrumentationKey="))
        .unwrap();
    command.env(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        format!("{key};IngestionEndpoint=http://{address}/"),
    );
    silent
}

/// The number of arrivals of each span.
fn arrived(portal: &Portal) -> BTreeMap<u64, usize> {
    let mut arrived = BTreeMap::new();
    for item in portal.items() {
        if let Some(data) = request(&item) {
            let n = data.properties.get("n").unwrap().parse().unwrap();
            *arrived.entry(n).or_default() += 1;
        }
    }
    arrived
}

fn ids(text: &str) -> Vec<u64> {
    text.lines().map(|line| line.parse().unwrap()).collect()
}

/// Reads this number of ids, or all ids until the end.
async fn read(
    mut from: Box<dyn BufRead + Send>,
    most: usize,
) -> (Vec<u64>, Box<dyn BufRead + Send>) {
    let read = tokio::task::spawn_blocking(move || {
        let mut text = String::new();
        let mut lines = 0;
        while lines < most && from.read_line(&mut text).unwrap() > 0 {
            lines += 1;
        }
        (ids(&text), from)
    });
    read.await.unwrap()
}

async fn line_of(child: Child) -> Line {
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    Line::parse(std::str::from_utf8(&output.stdout).unwrap())
}

#[tokio::test]
async fn all_that_has_ended_is_sent_once_and_written_down() {
    for durable in [false, true] {
        let (portal, directory) = (portal().await, Directory::new("sent"));
        let mut command = steady(&portal, 1_000, "1.5");
        command.arg("--ids").arg(directory.ids());
        command.arg("--storage").arg(directory.storage());
        command.args(durable.then_some("--durable"));
        let line = Line::parse(&run(command).await);
        let expected = Line {
            ended: 1_500,
            sent: 1_500,
            stored: 0,
            dropped: 0,
        };
        assert_eq!(line, expected, "durable: {durable}");
        let written = ids(&std::fs::read_to_string(directory.ids()).unwrap());
        assert_eq!(written, (0..1_500).collect::<Vec<_>>());
        let arrived = arrived(&portal);
        assert_eq!(arrived.len(), 1_500);
        assert!(arrived.values().all(|times| *times == 1));
    }
}

#[tokio::test]
async fn items_that_an_outage_leaves_on_disk_are_sent_by_the_next_run() {
    let (portal, directory) = (portal().await, Directory::new("outage"));
    let mut command = steady(&portal, 500, "1");
    command.arg("--storage").arg(directory.storage());
    let silent = in_an_outage(&mut command, &portal);
    let line = Line::parse(&run(command).await);
    assert_eq!((line.ended, line.sent), (500, 0));
    assert_eq!((line.stored, line.dropped), (500, 0), "{line:?}");
    drop(silent);
    let mut command = steady(&portal, 1, "1");
    command.arg("--storage").arg(directory.storage());
    let line = Line::parse(&run(command).await);
    // The stored spans of earlier runs are not counted in this line.
    assert_eq!((line.ended, line.sent), (1, 1), "{line:?}");
    let arrived = arrived(&portal);
    assert_eq!(arrived.len(), 500);
    assert_eq!(arrived.values().sum::<usize>(), 501);
}

#[tokio::test]
async fn without_storage_an_outage_costs_the_reported_number_of_items() {
    let portal = portal().await;
    let mut command = steady(&portal, 200, "1");
    let _silent = in_an_outage(&mut command, &portal);
    let line = Line::parse(&run(command).await);
    assert_eq!((line.ended, line.dropped), (200, 200), "{line:?}");
}

#[cfg(unix)]
#[tokio::test]
async fn held_it_waits_for_a_signal_and_then_shuts_down() {
    let (portal, directory) = (portal().await, Directory::new("held"));
    let pipe = directory.piped_ids().await;
    let mut command = steady(&portal, 200, "0.5");
    command.arg("--hold").arg("--ids").arg(directory.ids());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let (ended, _pipe) = read(pipe.await.unwrap(), usize::MAX).await;
    assert_eq!(ended.len(), 100);
    assert!(child.try_wait().unwrap().is_none(), "it does not wait");
    let id = child.id().unwrap().to_string();
    let told = Command::new("kill").args(["-TERM", &id]).status().await;
    assert!(told.unwrap().success());
    let line = line_of(child).await;
    assert_eq!((line.ended, line.sent, line.dropped), (100, 100, 0));
    assert_eq!(arrived(&portal).len(), 100);
}

#[cfg(unix)]
#[tokio::test]
async fn killed_in_durable_mode_it_loses_the_last_moment_at_most() {
    const RATE: u32 = 500;
    let (portal, directory) = (portal().await, Directory::new("killed"));
    let pipe = directory.piped_ids().await;
    let mut command = steady(&portal, RATE, "60");
    command.arg("--durable").arg("--ids").arg(directory.ids());
    command.arg("--storage").arg(directory.storage());
    let _silent = in_an_outage(&mut command, &portal);
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let (first, pipe) = read(pipe.await.unwrap(), 3 * RATE as usize).await;
    child.kill().await.unwrap();
    let (rest, _) = read(pipe, usize::MAX).await;
    let ended = (first.len() + rest.len()) as u64;
    let mut command = steady(&portal, 1, "1");
    command.arg("--storage").arg(directory.storage());
    run(command).await;
    let arrived = arrived(&portal);
    let kept = ended - u64::from(RATE) * MAY_BE_LOST_MS / 1_000;
    for n in 0..kept {
        assert!(arrived.contains_key(&n), "{n} of {ended} is lost");
    }
    // The later run also has a span with the first number.
    let twice = arrived.iter().filter(|(n, times)| **n > 0 && **times > 1);
    assert_eq!(twice.count(), 0);
}
