//! A portal that receives a million items while a reader sends requests, answers from them, and receives a steady rate
//! for a minute.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use azmon_portal::Portal;
use tokio::runtime::Runtime;

use crate::fixtures::{items, peak_memory};
use crate::{Area, Bound, Case, Figure, Method, Quantity, Target, Workload};

/// The number of items that are sent and stored.
const ITEMS: u64 = 1_000_000;
/// The number of items in one body.
const ITEMS_OF_BODY: u64 = 1_000;
/// The number of transactions in one body; each has five items.
const TRANSACTIONS: u64 = 200;
/// The number of items that all paced clients together send per second.
const PACE: u64 = 30_000;
/// The duration of the paced run, in seconds.
const MINUTE: u64 = 60;
/// The number of concurrent senders.
const CLIENTS: u64 = 2;
/// The number of timed queries of each kind.
const QUESTIONS: u32 = 40;
/// The pause between two queries while items arrive.
const PAUSE: Duration = Duration::from_millis(500);

const CASE: &str = "portal/azmon/million";
const PACED: &str = "portal/azmon/minute";
const QUERIES: &str = "portal/azmon/queries";
const RATE: &str = "kept per second";
const SECONDS: &str = "seconds for 30,000 items";
const LOST: &str = "answered 200 and missing";
const LATE: &str = "seconds behind the pace at the end";
const MEMORY: &str = "peak memory, MB";

/// The number of runs of each KQL query.
const ASKED_QUERIES: u32 = 10;

/// The KQL queries over a million requests: the name of the figure, the query, and its limit in seconds.
const KQL: [(&str, &str, f64); 3] = [
    (
        "count and percentile by name, p95 s",
        "requests | summarize count(), percentile(duration, 95) by name",
        0.6,
    ),
    (
        "requests of an operation, p95 s",
        "requests | where operation_Id == 'OPERATION' | project timestamp, name, duration",
        0.02,
    ),
    (
        "a term in customDimensions, p95 s",
        "requests | where customDimensions has 'm' | where customDimensions has '0042' | count",
        1.0,
    ),
];

/// The queries, by the name of their figure.
const ASKED: [(&str, &str); 5] = [
    ("map, p95 ms", "/api/map?from=-30m"),
    ("performance, p95 ms", "/api/operations?from=-30m"),
    ("failures, p95 ms", "/api/failures?from=-30m"),
    ("transaction, p95 ms", "/api/transactions/"),
    ("search, p95 ms", "/api/items?q=declined&limit=100"),
];

/// The area.
#[must_use]
pub fn area() -> Area {
    let at_most = |name, bound| Target::new(CASE, Quantity::Figure(name), Bound::AtMost(bound));
    let of_kql = KQL.iter().map(|(name, _, bound)| {
        Target::new(QUERIES, Quantity::Figure(name), Bound::AtMost(*bound))
    });
    let mut targets = vec![
        at_most(SECONDS, 1.0),
        at_most(LOST, 0.0),
        at_most(ASKED[0].0, 50.0),
        at_most(ASKED[1].0, 50.0),
        at_most(ASKED[2].0, 50.0),
        at_most(ASKED[3].0, 20.0),
        at_most(ASKED[4].0, 200.0),
        at_most(MEMORY, 300.0),
        Target::new(PACED, Quantity::Figure(LATE), Bound::AtMost(1.0)),
        Target::new(PACED, Quantity::Figure(LOST), Bound::AtMost(0.0)),
        Target::new(PACED, Quantity::Figure(MEMORY), Bound::AtMost(300.0)),
    ];
    targets.extend(of_kql);
    Area {
        name: "portal",
        title: "Portal: a million items received while it is read",
        unit: "item",
        about: "Two clients send bodies of 1,000 items (gzip, one item per line) to a portal in the same process, \
                over loopback, each as soon as the previous one is answered; a reader requests the map, the \
                operations, the failures and a search twice a second. Each transaction consists of two requests, two \
                dependencies and a log record. Afterwards each of these requests is sent 40 times, with all items \
                stored. The second row sends 30,000 items a second for a minute, independent of the response times. \
                The third row sends a million requests and runs queries in KQL over HTTP, ten times each. Memory is \
                the peak of the whole process, including the clients, which share the machine's cores with the \
                portal.",
        method: Method::Once { operations: ITEMS },
        cases: vec![
            Case::azmon(CASE, "azmon portal, in a temporary directory", || {
                Load::new(Kind::FlatOut)
            }),
            Case::azmon(
                PACED,
                "the same, 30,000 items a second for a minute",
                || Load::new(Kind::Paced),
            )
            .remark("no requests for pages afterwards"),
            Case::azmon(QUERIES, "KQL over a million requests", || {
                Load::new(Kind::Requests)
            })
            .remark("all items are requests"),
        ],
        targets,
        notes: Some(include_str!("../../notes/portal.md")),
    }
}

/// The load of a case: its items and their rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Transactions, each body after the response to the previous one.
    FlatOut,
    /// Transactions, at a fixed rate.
    Paced,
    /// Only requests.
    Requests,
}

/// A portal and its clients.
struct Load {
    kind: Kind,
    runtime: Runtime,
    portal: Portal,
    client: reqwest::Client,
    sent: u64,
    took: Duration,
    late: Duration,
    while_receiving: Mutex<Vec<Duration>>,
}

impl fmt::Debug for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Load")
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

impl Load {
    #[expect(
        clippy::expect_used,
        reason = "a bench that cannot start says why and ends"
    )]
    fn new(kind: Kind) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        let portal = Portal::builder().max_bytes(8 * 1_024 * 1_024 * 1_024);
        let portal = runtime
            .block_on(portal.bind(([127, 0, 0, 1], 0).into()))
            .expect("a portal");
        Self {
            kind,
            runtime,
            portal,
            client: reqwest::Client::new(),
            sent: 0,
            took: Duration::ZERO,
            late: Duration::ZERO,
            while_receiving: Mutex::default(),
        }
    }

    /// The duration of a response, measured by a client.
    #[expect(
        clippy::expect_used,
        reason = "a bench that is not answered has no figures"
    )]
    fn ask(&self, path: &str) -> Duration {
        let url = format!("{}{path}", self.portal.url());
        let started = Instant::now();
        self.runtime.block_on(async {
            let response = self.client.get(url).send().await.expect("an answer");
            assert!(
                response.status().is_success(),
                "{path} is answered {}",
                response.status()
            );
            response.bytes().await.expect("a whole answer");
        });
        started.elapsed()
    }

    /// The duration of a query, measured by a client.
    #[expect(
        clippy::expect_used,
        reason = "a bench that is not answered has no figures"
    )]
    fn query(&self, query: &str) -> Duration {
        let url = format!("{}/v1/apps/local/query", self.portal.url());
        let body = serde_json::json!({"query": query}).to_string();
        let started = Instant::now();
        self.runtime.block_on(async {
            let request = self
                .client
                .post(url)
                .header("content-type", "application/json");
            let response = request.body(body).send().await.expect("an answer");
            let status = response.status();
            assert!(status.is_success(), "{query} is answered {status}");
            response.bytes().await.expect("a whole answer");
        });
        started.elapsed()
    }

    fn body(&self, number: u64) -> Vec<u8> {
        match self.kind {
            Kind::FlatOut | Kind::Paced => items::body(number, TRANSACTIONS, items::transaction),
            Kind::Requests => items::body(number, ITEMS_OF_BODY, items::request),
        }
    }

    /// Sends a client's share of the bodies, each after the response to the previous one and, at a fixed rate, not
    /// before its time. Returns the number of accepted items.
    #[expect(
        clippy::expect_used,
        reason = "a bench whose portal ends has no figures"
    )]
    fn send(&self, client: u64, bodies: u64) -> u64 {
        let url = format!("{}/v2.1/track", self.portal.url());
        let mut kept = 0;
        let started = Instant::now();
        for number in 0..bodies {
            let body = self.body(client * bodies + number);
            if self.kind == Kind::Paced {
                let due = number * ITEMS_OF_BODY * CLIENTS;
                let due = started + Duration::from_secs_f64(due as f64 / PACE as f64);
                thread::sleep(due.saturating_duration_since(Instant::now()));
            }
            loop {
                let request = self
                    .client
                    .post(&url)
                    .header("content-encoding", "gzip")
                    .body(body.clone());
                let response = self.runtime.block_on(request.send()).expect("an answer");
                if response.status() == 200 {
                    kept += ITEMS_OF_BODY;
                    break;
                }
                // The portal asked for a retry.
                thread::sleep(Duration::from_millis(100));
            }
        }
        kept
    }
}

impl Workload for Load {
    fn run(&mut self, operations: u64) {
        let items = if self.kind == Kind::Paced {
            operations * PACE * MINUTE / ITEMS
        } else {
            operations
        };
        let bodies = items / ITEMS_OF_BODY / CLIENTS;
        let is_over = AtomicBool::new(false);
        let started = Instant::now();
        let kept = thread::scope(|scope| {
            let (load, is_over) = (&*self, &is_over);
            #[expect(
                clippy::needless_collect,
                reason = "every client starts before the first is waited for"
            )]
            let clients: Vec<_> = (0..CLIENTS)
                .map(|client| scope.spawn(move || load.send(client, bodies)))
                .collect();
            scope.spawn(move || {
                let paths = [ASKED[0].1, ASKED[1].1, ASKED[2].1, ASKED[4].1];
                for path in paths.iter().cycle() {
                    if is_over.load(Ordering::Relaxed) {
                        return;
                    }
                    let took = load.ask(path);
                    load.while_receiving
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(took);
                    thread::sleep(PAUSE);
                }
            });
            let kept = clients
                .into_iter()
                .map(|client| client.join().unwrap_or(0))
                .sum::<u64>();
            is_over.store(true, Ordering::Relaxed);
            kept
        });
        let took = started.elapsed();
        let paced = Duration::from_secs_f64(items as f64 / PACE as f64);
        self.late = took.saturating_sub(paced);
        self.took += took;
        self.sent += kept;
    }

    fn figures(&mut self) -> Vec<Figure> {
        let held = self.portal.statistics().items as u64;
        let mut figures = vec![
            Figure::new(RATE, self.sent as f64 / self.took.as_secs_f64()),
            Figure::new(
                SECONDS,
                30_000.0 * self.took.as_secs_f64() / self.sent.max(1) as f64,
            ),
            Figure::new(LOST, self.sent.saturating_sub(held) as f64),
        ];
        let mut meanwhile = self
            .while_receiving
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        figures.push(Figure::new(
            "answer while receiving, p95 ms",
            p95(&mut meanwhile),
        ));
        if self.kind == Kind::Paced {
            figures.push(Figure::new(LATE, self.late.as_secs_f64()));
        }
        if self.kind == Kind::Requests {
            for (name, query, _) in KQL {
                let mut took: Vec<_> = (0..ASKED_QUERIES)
                    .map(|number| {
                        let operation = items::operation(u64::from(number) * 97);
                        self.query(&query.replace("OPERATION", &operation))
                    })
                    .collect();
                figures.push(Figure::new(name, p95(&mut took) / 1e3));
            }
        }
        for (name, path) in ASKED.iter().filter(|_| self.kind == Kind::FlatOut).copied() {
            let mut took: Vec<_> = (0..QUESTIONS)
                .map(|number| match path.strip_suffix("transactions/") {
                    Some(start) => self.ask(&format!(
                        "{start}transactions/{}",
                        items::operation(u64::from(number) * 97)
                    )),
                    None => self.ask(path),
                })
                .collect();
            figures.push(Figure::new(name, p95(&mut took)));
        }
        let bytes = self.portal.statistics().bytes;
        figures.push(Figure::new(
            "bytes on disk per item",
            bytes as f64 / held.max(1) as f64,
        ));
        if let Some(bytes) = peak_memory() {
            figures.push(Figure::new(MEMORY, bytes as f64 / 1e6));
        }
        figures
    }
}

/// The 95th percentile, in milliseconds.
fn p95(durations: &mut [Duration]) -> f64 {
    durations.sort_unstable();
    let index = (durations.len() * 95).div_ceil(100).saturating_sub(1);
    durations
        .get(index)
        .map_or(0.0, |duration| duration.as_secs_f64() * 1e3)
}
