//! Streams of other programs against the same scripted server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::{Server, Step, YES, metric, request};
use crate::envelope::tags;
use crate::live_metrics::{LiveStreams, MAX_STREAMS, StreamClients};

/// Streams of other programs, and the server that their clients ask.
struct Forwarding {
    server: Arc<Server>,
    streams: Arc<LiveStreams>,
    _clients: tokio::task::JoinHandle<()>,
}

impl Forwarding {
    fn new(common_key: Option<&str>, answer: Step) -> Self {
        let server = Arc::new(Server {
            start: Instant::now(),
            steps: Mutex::new([answer].into()),
            sent: Mutex::default(),
        });
        let mut clients = StreamClients::new("the key", common_key.map(str::to_owned));
        clients.connect(server.clone(), "http://configured", "azmon");
        Self {
            streams: clients.streams(),
            server,
            _clients: tokio::spawn(clients.run()),
        }
    }

    fn observe(&self, role: &str, instance: &str) {
        let mut item = request(100, true);
        item.tags.push(tags::CLOUD_ROLE, role.to_owned());
        item.tags
            .push(tags::CLOUD_ROLE_INSTANCE, instance.to_owned());
        item.tags
            .push(tags::INTERNAL_SDK_VERSION, "lf_py".to_owned());
        self.streams.observe(&item);
    }

    /// The bodies of so many more seconds, of pings or of posts.
    async fn sent_in(&self, seconds: f64, path: &str) -> Vec<Value> {
        self.server.sent.lock().unwrap().clear();
        tokio::time::sleep(Duration::from_secs_f64(seconds + 0.0015)).await;
        let sent = self.server.sent.lock().unwrap();
        let sent = sent.iter().filter(|(_, one)| one.address.contains(path));
        sent.map(|(_, one)| serde_json::from_slice(&one.body).unwrap())
            .collect()
    }
}

#[tokio::test(start_paused = true)]
async fn each_role_instance_of_another_program_has_a_stream_of_its_own() {
    let forwarding = Forwarding::new(None, YES);
    let all = [("shop", "a"), ("shop", "b"), ("billing", "a")];
    for (role, instance) in all {
        forwarding.observe(role, instance);
    }
    let pings = forwarding.sent_in(0.0, "/ping?").await;
    let text = |point: &Value, name: &str| point[name].as_str().unwrap().to_owned();
    let mut ids: Vec<_> = pings.iter().map(|ping| text(ping, "StreamId")).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    for ping in &pings {
        assert_eq!(text(ping, "MachineName"), text(ping, "Instance"));
        assert_eq!(text(ping, "Version"), "azmon");
    }
    for (count, (role, instance)) in all.into_iter().enumerate() {
        for _ in 0..count {
            forwarding.observe(role, instance);
        }
    }
    let posts = forwarding.sent_in(1.0, "/post?").await;
    assert_eq!(posts.len(), 3);
    for (count, (role, instance)) in all.into_iter().enumerate() {
        let is_its = |post: &&Value| post[0]["RoleName"] == role && post[0]["Instance"] == instance;
        let post = &posts.iter().find(is_its).unwrap()[0];
        let (_, requests) = metric(post, r"\ApplicationInsights\Request Duration");
        assert_eq!(requests, count as f64, "{role} {instance}");
        // The memory of this process is not that of the other one.
        assert_eq!(post["PerformanceCollectionSupported"], false);
        let names = post["Metrics"].to_string();
        assert!(
            !names.contains("Process") && !names.contains("Memory"),
            "{names}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn idle_streams_end_and_streams_beyond_the_limit_are_left_out_and_counted() {
    let forwarding = Forwarding::new(None, Step::No);
    for number in 0..=MAX_STREAMS {
        forwarding.observe("shop", &number.to_string());
    }
    forwarding.observe("shop", "another");
    assert_eq!(forwarding.streams.len(), MAX_STREAMS);
    assert_eq!(forwarding.streams.left_out(), 2);
    let first = forwarding.sent_in(0.0, "/ping?").await;
    assert_eq!(first.len(), MAX_STREAMS);
    let mut first = first.iter().filter(|ping| ping["Instance"] == "7");
    let stream_id = &first.next().unwrap()["StreamId"];
    // One lives, as metrics that come each minute show.
    for _ in 0..4 {
        forwarding.sent_in(60.0, "").await;
        forwarding.observe("shop", "7");
    }
    assert_eq!(forwarding.streams.len(), 1);
    let pings = forwarding.sent_in(5.0, "/ping?").await;
    assert_eq!(pings.len(), 1);
    assert_eq!(&pings[0]["StreamId"], stream_id);
    forwarding.observe("shop", "another");
    assert_eq!(forwarding.streams.len(), 2);
    assert_eq!(forwarding.streams.left_out(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stream_goes_to_the_resource_of_its_items_or_to_a_common_one() {
    for (common, expected) in [
        (None, &["an%2Ditem%27s", "the%20key"][..]),
        (Some("common"), &["common"]),
    ] {
        let forwarding = Forwarding::new(common, Step::No);
        let mut item = request(100, true);
        item.i_key = "an-item's".into();
        forwarding.streams.observe(&item);
        item.i_key = "".into();
        forwarding.streams.observe(&item);
        forwarding.sent_in(0.0, "").await;
        let sent = forwarding.server.sent.lock().unwrap();
        let keys = sent
            .iter()
            .map(|(_, one)| one.address.split("ikey=").last().unwrap());
        let mut keys: Vec<_> = keys.collect();
        keys.sort_unstable();
        assert_eq!(keys, expected);
        // Without an instance there is only the machine.
        let body: Value = serde_json::from_slice(&sent[0].1.body).unwrap();
        let machine = body["MachineName"].as_str().unwrap();
        assert!(!machine.is_empty() && body["Instance"] == machine, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn streams_end_with_their_worker() {
    let forwarding = Forwarding::new(None, YES);
    forwarding.observe("shop", "a");
    assert!(!forwarding.sent_in(2.0, "").await.is_empty());
    forwarding._clients.abort();
    assert!(forwarding.sent_in(60.0, "").await.is_empty());
    forwarding.observe("shop", "b");
}
