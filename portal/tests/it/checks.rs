//! Availability tests and alert rules, from the file to the item and the webhook.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use azmon_portal::{Checks, Portal};
use serde_json::{Value, json};

use crate::client::{Harness, event};

/// A service with a health check and a webhook.
#[derive(Default)]
struct Service {
    status: AtomicU16,
    parents: Mutex<Vec<String>>,
    told: Mutex<Vec<Value>>,
    refusals: AtomicU16,
}

async fn service() -> (Arc<Service>, String) {
    async fn health(
        State(service): State<Arc<Service>>,
        headers: HeaderMap,
    ) -> (StatusCode, &'static str) {
        let parent = headers["traceparent"].to_str().unwrap().to_owned();
        service.parents.lock().unwrap().push(parent);
        let status = service.status.load(Ordering::Relaxed);
        (StatusCode::from_u16(status).unwrap(), "all is well")
    }
    async fn hook(State(service): State<Arc<Service>>, body: String) -> StatusCode {
        if service.refusals.load(Ordering::Relaxed) > 0 {
            service.refusals.fetch_sub(1, Ordering::Relaxed);
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        let body = serde_json::from_str(&body).unwrap();
        service.told.lock().unwrap().push(body);
        StatusCode::NO_CONTENT
    }

    let service = Arc::new(Service::default());
    service.status.store(200, Ordering::Relaxed);
    let routes = Router::new()
        .route("/health", get(health))
        .route("/hook", post(hook))
        .with_state(Arc::clone(&service));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, routes).await });
    (service, url)
}

/// Asks until the checks are as they shall be.
async fn until(portal: &Harness, is_there: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..20_000 {
        last = portal.json("/api/checks").await;
        if is_there(&last) {
            return last;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came: {last:#}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn availability_tests_become_items() {
    let (service, url) = service().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let checks: Checks = format!(
        r#"
        [[availability]]
        name = "well"
        url = "{url}/health"
        text = "well"

        [[availability]]
        name = "another text"
        url = "{url}/health"
        text = "all is lost"

        [[availability]]
        name = "another status"
        url = "{url}/health"
        method = "POST"

        [[availability]]
        name = "closed"
        url = "http://{closed}/"
        timeout = "5s"
        "#
    )
    .parse()
    .unwrap();
    let portal = Harness::start_with(Portal::builder().checks(checks)).await;
    let answer = until(&portal, |answer| {
        let tests = answer["availability"].as_array().unwrap();
        tests.iter().all(|test| test["state"] != "waiting")
    })
    .await;
    let states: Vec<_> = answer["availability"]
        .as_array()
        .unwrap()
        .iter()
        .map(|test| {
            (
                test["name"].as_str().unwrap(),
                test["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        states,
        [
            ("well", "up"),
            ("another text", "down"),
            ("another status", "down"),
            ("closed", "down")
        ]
    );
    let items = portal
        .json("/api/items?kind=availabilityResult&wait=20s&min=4")
        .await;
    assert_eq!(items["items"].as_array().unwrap().len(), 4);
    let query = json!({"query": "availabilityResults | order by name asc | project name, success, message, location, operation_Id"});
    let response = portal
        .post("/v1/apps/local/query")
        .header("content-type", "application/json")
        .body(query.to_string())
        .send()
        .await
        .unwrap();
    let answer = crate::client::json_of(response).await;
    let rows = answer["tables"][0]["rows"].as_array().unwrap().clone();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row[0].as_str().unwrap(), row[1].as_str().unwrap()))
        .collect();
    assert_eq!(
        seen,
        [
            ("another status", "False"),
            ("another text", "False"),
            ("closed", "False"),
            ("well", "True")
        ]
    );
    for (row, part) in rows.iter().zip([
        "405 Method Not Allowed, not 200",
        "all is lost",
        "onnect",
        "200 OK",
    ]) {
        let message = row[2].as_str().unwrap();
        assert!(message.contains(part), "{part} in {message}");
        assert_eq!(row[3], "azmon portal");
    }
    // The service's own request belongs to the transaction of the test.
    let operation = rows[3][4].as_str().unwrap();
    let parents = service.parents.lock().unwrap();
    assert!(
        parents
            .iter()
            .any(|parent| parent.starts_with(&format!("00-{operation}-"))),
        "{parents:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_is_posted_when_it_changes() {
    let (service, url) = service().await;
    service.refusals.store(1, Ordering::Relaxed);
    let checks: Checks = format!(
        r#"
        [[alert]]
        name = "too many"
        query = "customEvents | where name == 'bad'"
        threshold = 1
        window = "1h"
        interval = "1s"
        webhook = "{url}/hook"

        [[alert]]
        name = "none is fine"
        query = "customEvents | where name == 'bad' | summarize count()"
        operator = "<"
        threshold = 1
        window = "1h"
        interval = "1h"
        "#
    )
    .parse()
    .unwrap();
    let portal = Harness::start_with(Portal::builder().checks(checks)).await;
    let state = |answer: &Value, index: usize| answer["alerts"][index]["state"].clone();
    let answer = until(&portal, |answer| {
        state(answer, 0) == "ok" && state(answer, 1) == "fired"
    })
    .await;
    assert_eq!(answer["alerts"][0]["value"], 0.0);
    let now = jiff::Timestamp::now();
    let bad = |seconds: i64| {
        let mut bad = event("bad");
        let time = now - jiff::SignedDuration::from_secs(seconds);
        bad["time"] = json!(format!("{time:.6}"));
        bad
    };
    // The third is outside of the window.
    portal.accept(&[bad(1), bad(2), bad(7_200)]).await;
    let answer = until(&portal, |answer| {
        state(answer, 0) == "fired" && !service.told.lock().unwrap().is_empty()
    })
    .await;
    assert_eq!(answer["alerts"][0]["value"], 2.0);
    let overview = portal.json("/api/overview").await;
    let titles: Vec<_> = overview["findings"]
        .as_array()
        .unwrap_or_else(|| panic!("{overview:#}"))
        .iter()
        .filter(|finding| finding["rule"] == "alert")
        .map(|finding| finding["title"].clone())
        .collect();
    assert!(titles.contains(&json!("Alert: too many")), "{titles:?}");
    let response = portal.request("DELETE", "/api/data").send().await.unwrap();
    assert_eq!(response.status(), 200);
    let answer = until(&portal, |answer| {
        state(answer, 0) == "ok" && service.told.lock().unwrap().len() == 2
    })
    .await;
    assert_eq!(answer["alerts"][0]["webhookError"], Value::Null);
    let told = service.told.lock().unwrap().clone();
    let seen: Vec<_> = told
        .iter()
        .map(|told| {
            (
                told["name"].clone(),
                told["state"].clone(),
                told["value"].clone(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (json!("too many"), json!("fired"), json!(2.0)),
            (json!("too many"), json!("resolved"), json!(0.0)),
        ]
    );
    assert_eq!(told[0]["windowSeconds"], 3_600);
}

#[tokio::test]
async fn an_invalid_query_is_reported_when_the_portal_starts() {
    let text = "[[alert]]\nname = \"slow\"\nquery = \"requests | where durtion > 1\"";
    let checks: Checks = text.parse().unwrap();
    let started = Portal::builder()
        .checks(checks)
        .bind("127.0.0.1:0".parse().unwrap())
        .await;
    let message = started.unwrap_err().to_string();
    for part in ["\"slow\"", "durtion"] {
        assert!(message.contains(part), "{message}");
    }
}

#[tokio::test]
async fn without_checks_there_are_none() {
    let portal = Harness::start().await;
    assert_eq!(
        portal.json("/api/checks").await,
        json!({"availability": [], "alerts": []})
    );
}
