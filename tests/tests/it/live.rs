//! Live metrics: the cases of the specification, and a service in front of the portal.

use std::time::Duration;

use azmon::Telemetry;
use azmon_portal::Portal;
use opentelemetry::trace::{SpanBuilder, SpanKind, Tracer, TracerProvider};
use serde_json::Value;
use tokio::time::{Instant, timeout};

const CASES: &str = include_str!("../../golden/live-metrics-filters.json");

#[test]
fn every_case_of_live_metrics_is_as_specified() {
    let report = azmon_tests::live::run(CASES).unwrap();
    assert_eq!(report.to_string(), "101 passed, 0 failed");
}

#[test]
fn a_wrong_expectation_is_reported() {
    let wrong = CASES.replacen("\"expected\": \"match\"", "\"expected\": \"no-match\"", 1);
    let report = azmon_tests::live::run(&wrong).unwrap();
    let text = report.to_string();
    assert!(text.ends_with("100 passed, 1 failed"), "{text}");
    assert!(
        text.starts_with("string equal same case: metric:"),
        "{text}"
    );
}

/// Reads events of the portal until one is as wanted.
async fn event(response: &mut reqwest::Response, is_wanted: impl Fn(&Value) -> bool) -> Value {
    let mut text = String::new();
    let read = async {
        loop {
            let chunk = response.chunk().await.unwrap().expect("the stream ended");
            text.push_str(str::from_utf8(&chunk).unwrap());
            while let Some((event, rest)) = text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let value = data.map(|data| serde_json::from_str::<Value>(data).unwrap());
                text = rest.to_owned();
                if let Some(value) = value.filter(|value| is_wanted(value)) {
                    return value;
                }
            }
        }
    };
    timeout(Duration::from_secs(30), read).await.unwrap()
}

/// The requests per second of the server that posts, summed over its seconds.
fn requests(told: &Value) -> f64 {
    let servers = told["servers"].as_array().unwrap().iter();
    let posting = servers.filter(|server| server["source"] == "liveMetrics");
    let rows = posting.flat_map(|server| server["rows"].as_array().unwrap());
    rows.map(|row| row[1].as_f64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_is_not_sampled_moves_a_line_of_the_portal_within_two_seconds() {
    let portal = Portal::builder()
        .bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let telemetry = Telemetry::builder()
        .connection_string(portal.connection_string())
        .service_name("shop")
        .sampling_ratio(0.0)
        .standard_metrics(false)
        .performance_counters(false)
        .environment(|_| None)
        .install_globally(false)
        .build()
        .unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/api/live", portal.url());
    let mut live = client.get(url).send().await.unwrap();
    // The client asks every second, and then posts.
    let posts = |told: &Value| {
        let servers = told["servers"].as_array().unwrap();
        servers.iter().any(|server| {
            server["source"] == "liveMetrics" && !server["rows"].as_array().unwrap().is_empty()
        })
    };
    let told = event(&mut live, posts).await;
    assert_eq!(requests(&told), 0.0);
    assert_eq!(told["servers"][0]["role"], "shop");
    let began = Instant::now();
    let tracer = telemetry.tracer_provider().tracer("test");
    drop(tracer.build(SpanBuilder::from_name("GET /").with_kind(SpanKind::Server)));
    event(&mut live, |told| requests(told) > 0.0).await;
    let taken = began.elapsed();
    assert!(taken < Duration::from_secs(2), "{taken:?}");
    assert!(portal.items().is_empty(), "it was not sampled");
    // Without a reader, posts end.
    drop(live);
    let servers = format!("{}/api/live/servers", portal.url());
    let is_watched = async || {
        let answer = client.get(&servers).send().await.unwrap();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        answer["isWatched"] == true
    };
    let ended = timeout(Duration::from_secs(10), async {
        while is_watched().await {
            tokio::task::yield_now().await;
        }
    });
    ended.await.unwrap();
    telemetry.shutdown(Duration::from_secs(5)).unwrap();
    portal.shutdown().await;
}
