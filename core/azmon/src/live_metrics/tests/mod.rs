//! The client against a scripted server, in paused time.

mod collector;
mod configurations;
mod machine;
mod streams;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use crate::envelope::{Data, Envelope, RequestData, SCHEMA_VERSION, TimeSpan};
use crate::live_metrics::client::Identity;
use crate::live_metrics::{Answer, Calling, Client, Live, MAX_CONFIGURATION, Request, Transport};

#[derive(Debug, Clone)]
enum Step {
    /// Subscribed, the name and the body of a configuration.
    Yes(&'static str, Bytes),
    No,
    Status(u16),
    Refused,
    /// No answer until the call's time is over.
    Hang,
    Headers(&'static [(&'static str, &'static str)]),
}

const YES: Step = Step::Yes("", Bytes::new());

#[derive(Debug)]
struct Server {
    start: Instant,
    steps: Mutex<VecDeque<Step>>,
    sent: Mutex<Vec<(f64, Request)>>,
}

impl Transport for Server {
    fn call(&self, request: Request) -> Calling {
        let now = self.start.elapsed().as_secs_f64();
        self.sent.lock().unwrap().push((now, request));
        let mut steps = self.steps.lock().unwrap();
        // The last answer is given for ever.
        let step = match steps.len() {
            1 => steps[0].clone(),
            _ => steps.pop_front().unwrap(),
        };
        Box::pin(async move {
            let answer = |headers: &[(&'static str, &str)], body| {
                let mut all = HeaderMap::new();
                for (name, value) in headers {
                    all.insert(*name, value.parse().unwrap());
                }
                Ok(Answer {
                    status: 200,
                    headers: all,
                    body,
                })
            };
            match step {
                Step::Yes(etag, body) => answer(
                    &[
                        ("x-ms-qps-subscribed", "true"),
                        ("x-ms-qps-configuration-etag", etag),
                    ],
                    body,
                ),
                Step::No => answer(&[("x-ms-qps-subscribed", "false")], Bytes::new()),
                Step::Headers(headers) => answer(headers, Bytes::new()),
                Step::Status(status) => Ok(Answer {
                    status,
                    ..Answer::default()
                }),
                Step::Refused => Err("connection refused".to_owned()),
                Step::Hang => {
                    tokio::time::sleep(Duration::from_secs(3)).await;
                    Err("timed out".to_owned())
                }
            }
        })
    }

    fn redirect(&self, _from: &str, to: &str) -> Option<String> {
        assert!(to != "defect", "meant");
        to.starts_with("https://good")
            .then(|| "https://good".to_owned())
    }
}

struct Scene {
    server: Arc<Server>,
    live: Arc<Live>,
    is_watched: Arc<AtomicBool>,
    _client: tokio::task::JoinHandle<()>,
}

impl Scene {
    fn new(steps: impl IntoIterator<Item = Step>) -> Self {
        let server = Arc::new(Server {
            start: Instant::now(),
            steps: Mutex::new(steps.into_iter().collect()),
            sent: Mutex::default(),
        });
        let is_watched = Arc::new(AtomicBool::new(false));
        let (live, _) = Live::new(is_watched.clone());
        let identity = Identity {
            instrumentation_key: "the key".to_owned(),
            role_name: "shop".to_owned(),
            ..Identity::default()
        };
        let client = Client::new(live.clone(), server.clone(), "http://configured", identity);
        Self {
            server,
            live,
            is_watched,
            _client: tokio::spawn(client.run()),
        }
    }

    /// The calls of so many seconds, with their times.
    async fn sent_until(&self, seconds: f64) -> Vec<(f64, &'static str)> {
        let passed = self.server.start.elapsed();
        // A moment later, so that what is due then is sent.
        let until = Duration::from_secs_f64(seconds + 0.0015);
        tokio::time::sleep(until.saturating_sub(passed)).await;
        let sent = self.server.sent.lock().unwrap();
        let sent = sent.iter().map(|(at, request)| {
            let is_ping = request.address.contains("/ping?");
            // Timers have a grain of a millisecond.
            (
                (at * 100.0).round() / 100.0,
                if is_ping { "ping" } else { "post" },
            )
        });
        sent.collect()
    }

    fn request(&self, index: usize) -> Request {
        self.server.sent.lock().unwrap()[index].1.clone()
    }

    fn body(&self, index: usize) -> Value {
        serde_json::from_slice(&self.request(index).body).unwrap()
    }

    fn header(&self, index: usize, name: &str) -> Option<String> {
        let request = self.request(index);
        let mut headers = request.headers.into_iter();
        headers
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    fn is_watched(&self) -> bool {
        self.is_watched.load(Ordering::Relaxed)
    }
}

fn request(milliseconds: u64, success: bool) -> Envelope<'static> {
    let data = RequestData {
        ver: SCHEMA_VERSION,
        id: "1".into(),
        name: "GET /".into(),
        duration: TimeSpan(Duration::from_millis(milliseconds)),
        success,
        response_code: "200".into(),
        source: None,
        url: None,
        properties: [("b".into(), "2".into()), ("a".into(), "1".into())]
            .into_iter()
            .collect(),
        measurements: std::iter::empty().collect(),
    };
    Envelope::new(std::time::SystemTime::UNIX_EPOCH, Data::Request(data))
}

fn metric(point: &Value, name: &str) -> (f64, f64) {
    let metrics = point["Metrics"].as_array().unwrap();
    let found = metrics.iter().find(|metric| metric["Name"] == name);
    let found = found.unwrap_or_else(|| panic!("{name} is not in {point:#}"));
    (
        found["Value"].as_f64().unwrap(),
        found["Weight"].as_f64().unwrap(),
    )
}

fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
