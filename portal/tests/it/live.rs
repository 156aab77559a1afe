//! Live Metrics of the portal: its protocol, its page, and items that it counts itself.

use std::time::{Duration, SystemTime};

use azmon_portal::Portal;
use reqwest::{Certificate, Client, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{Harness, event, json_of};
use crate::contract;

pub(crate) const KEY: &str = "11111111-2222-3333-4444-555555555555";

const PATIENCE: Duration = Duration::from_secs(60);

/// A page that is open.
pub(crate) struct Page {
    response: Response,
    text: String,
}

impl Page {
    pub(crate) async fn open(harness: &Harness) -> Self {
        let response = harness.get("/api/live").send().await.unwrap();
        assert_eq!(response.status(), 200);
        let mut page = Self {
            response,
            text: String::new(),
        };
        page.until(|_| true).await;
        page
    }

    /// The first event for which `holds` is true.
    pub(crate) async fn until(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        let read = async {
            loop {
                while let Some((event, rest)) = self.text.split_once("\n\n") {
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    let told = data.map(|data| serde_json::from_str::<Value>(data).unwrap());
                    self.text = rest.to_owned();
                    let Some(told) = told else { continue };
                    contract::check_event("/api/live", &told);
                    if holds(&told) {
                        return told;
                    }
                    last = told;
                }
                let chunk = self.response.chunk().await.unwrap().unwrap();
                self.text.push_str(str::from_utf8(&chunk).unwrap());
            }
        };
        match timeout(PATIENCE, read).await {
            Ok(told) => told,
            Err(_) => panic!("the last that was told: {last:#}"),
        }
    }

    pub(crate) async fn server(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        let servers = |told: &Value| told["servers"].as_array().unwrap().clone();
        let told = self.until(|told| servers(told).iter().any(&holds)).await;
        servers(&told)
            .into_iter()
            .find(|server| holds(server))
            .unwrap()
    }
}

pub(crate) fn has_rows(server: &Value) -> bool {
    !server["rows"].as_array().unwrap().is_empty()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

pub(crate) fn is_subscribed(response: &Response) -> bool {
    assert_eq!(response.status(), 200);
    match header(response, "x-ms-qps-subscribed").unwrap() {
        "true" => true,
        "false" => false,
        other => panic!("{other}"),
    }
}

pub(crate) fn ping_body(stream: &str) -> Value {
    json!({"Version": "azmon", "InvariantVersion": 5, "Instance": "shop-1", "RoleName": "shop",
        "MachineName": "host", "StreamId": stream, "IsWebApp": false, "PerformanceCollectionSupported": true})
}

pub(crate) async fn call(harness: &Harness, path: &str, etag: &str, body: &Value) -> Response {
    let path = format!("/QuickPulseService.svc/{path}?api-version=x&ikey={KEY}");
    let request = harness
        .post(&path)
        .header("x-ms-qps-configuration-etag", etag);
    request.body(body.to_string()).send().await.unwrap()
}

async fn ping(harness: &Harness, stream: &str) -> Response {
    call(harness, "ping", "", &ping_body(stream)).await
}

#[tokio::test]
async fn clients_post_only_while_a_page_is_open() {
    let harness = Harness::start().await;
    assert!(!is_subscribed(&ping(&harness, "a").await));
    let servers = harness.json("/api/live/servers").await;
    assert_eq!(servers["isWatched"], false);
    assert_eq!(servers["servers"][0]["role"], "shop");
    assert!(
        !is_subscribed(&ping(&harness, "a").await),
        "asking is not reading"
    );
    let page = Page::open(&harness).await;
    let answer = ping(&harness, "a").await;
    assert!(is_subscribed(&answer));
    assert!(header(&answer, "x-ms-qps-service-polling-interval-hint").is_some());
    assert!(is_subscribed(&call(&harness, "post", "", &json!([])).await));
    drop(page);
    let ended = async { while is_subscribed(&ping(&harness, "a").await) {} };
    timeout(PATIENCE, ended).await.unwrap();
}

#[tokio::test]
async fn the_configuration_is_sent_when_it_is_another_and_samples_all_types_at_first() {
    let harness = Harness::start().await;
    let _page = Page::open(&harness).await;
    let answer = ping(&harness, "a").await;
    let etag = header(&answer, "x-ms-qps-configuration-etag")
        .unwrap()
        .to_owned();
    let sent = json_of(answer).await;
    assert_eq!(sent["ETag"], etag.as_str());
    assert_eq!(sent["QuotaInfo"], Value::Null);
    let groups = sent["DocumentStreams"].as_array().unwrap().iter();
    let groups = groups.flat_map(|stream| stream["DocumentFilterGroups"].as_array().unwrap());
    let types: Vec<_> = groups
        .map(|group| group["TelemetryType"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        ["Request", "Dependency", "Exception", "Event", "Trace"]
    );
    let same = call(&harness, "ping", &etag, &ping_body("a")).await;
    assert_eq!(
        header(&same, "x-ms-qps-configuration-etag"),
        Some(etag.as_str())
    );
    assert_eq!(same.text().await.unwrap(), "");

    let mut view = harness.json("/api/live/configuration").await;
    let chart = json!({"id": "slow", "telemetryType": "Request", "projection": "Duration", "aggregation": "Max", "across": "Max",
        "groups": [[{"field": "Duration", "predicate": "GreaterThan", "comparand": "0.00:00:01"}]]});
    view["charts"] = json!([chart]);
    let put = |view: &Value| {
        harness
            .request("PUT", "/api/live/configuration")
            .body(view.to_string())
    };
    let answer = put(&view).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let kept = json_of(answer).await;
    contract::check("put", "/api/live/configuration", &kept);
    assert_eq!(kept, view);
    let posted = call(&harness, "post", &etag, &json!([])).await;
    assert_ne!(
        header(&posted, "x-ms-qps-configuration-etag"),
        Some(etag.as_str())
    );
    assert_eq!(
        json_of(posted).await["Metrics"][0]["BackEndAggregation"],
        "Max"
    );

    for (part, wrong, named) in [
        ("/charts/0/groups/0/0/comparand", json!("soon"), "soon"),
        ("/charts/0/groups/0/0/field", json!("Speed"), "Speed"),
        ("/charts/0/projection", json!("Median"), "Median"),
        ("/charts/0/telemetryType", json!("Metric"), "Metric"),
        ("/charts/0/across", json!("Most"), "Most"),
        ("/charts/0/id", json!(" "), "no name"),
        ("/streams/1/id", json!("failed requests"), "same id"),
    ] {
        let mut bad = view.clone();
        *bad.pointer_mut(part).unwrap() = wrong;
        let answer = put(&bad).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{part}");
        let message = json_of(answer).await["message"].to_string();
        assert!(message.contains(named), "{message}");
    }
    assert_eq!(
        harness.json("/api/live/configuration").await,
        view,
        "nothing was changed"
    );
}

/// An item that happens now.
fn now(mut item: Value) -> Value {
    item["time"] = json!(rfc3339(SystemTime::now()));
    item["iKey"] = json!(KEY);
    item
}

fn rfc3339(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time).unwrap().to_string()
}

#[tokio::test]
async fn telemetry_of_roles_that_do_not_post_is_counted_and_filtered_here() {
    let harness = Harness::start().await;
    let mut page = Page::open(&harness).await;
    let view = json!({"streams": [{"id": "slow", "groups": [{"telemetryType": "Request", "filters": [{"field": "Duration", "predicate": "GreaterThan", "comparand": "0.00:00:00.1"}]}]}],
        "charts": [{"id": "green", "telemetryType": "Request", "projection": "Count()", "aggregation": "Sum", "across": "Sum",
            "groups": [[{"field": "CustomDimensions.colour", "predicate": "Equal", "comparand": "GREEN"}]]}]});
    let put = harness
        .request("PUT", "/api/live/configuration")
        .body(view.to_string());
    assert_eq!(put.send().await.unwrap().status(), 200);
    let mut request = now(crate::client::request(
        "GET /",
        "0af7651916cd43dd8448eb211c80319c",
    ));
    request["sampleRate"] = json!(50.0);
    harness.accept(&[request.clone()]).await;
    let old = crate::client::request("GET /old", "0af7651916cd43dd8448eb211c80319d");
    harness.accept(&[old, now(event("no request"))]).await;
    let told = page
        .until(|told| !told["samples"].as_array().unwrap().is_empty())
        .await;
    assert_eq!(told["samples"][0]["item"]["name"], "GET /");
    assert_eq!(told["samples"][0]["item"]["streams"], json!(["slow"]));
    let server = page
        .server(|server| server["role"] == "shop" && has_rows(server))
        .await;
    assert_eq!(server["source"], "telemetry");
    let rows = server["rows"].as_array().unwrap();
    let green: f64 = rows
        .iter()
        .map(|row| row[12]["green"][1].as_f64().unwrap())
        .sum();
    assert_eq!(green, 2.0, "one that stands for two");
    // When it posts, it is not counted twice.
    let mut point = ping_body("a");
    point["Metrics"] = json!([{"Name": r"\ApplicationInsights\Requests/Sec", "Value": 7}]);
    call(&harness, "post", "", &json!([point])).await;
    harness.accept(&[now(request)]).await;
    let told = page
        .until(|told| {
            let mut servers = told["servers"].as_array().unwrap().iter();
            servers.any(|server| server["source"] == "liveMetrics" && has_rows(server))
        })
        .await;
    let of_shop = told["servers"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|server| server["role"] == "shop");
    assert_eq!(of_shop.count(), 1);
}

#[tokio::test]
async fn oversized_excess_and_malformed_input_is_refused_with_a_reason() {
    let harness = Harness::start().await;
    let _page = Page::open(&harness).await;
    let path = format!("/QuickPulseService.svc/post?ikey={KEY}");
    for (body, status) in [
        (vec![b' '; (8 << 20) + 1], 413),
        (b"{garbage".to_vec(), 400),
        (b"5".to_vec(), 400),
    ] {
        let answer = harness.post(&path).body(body).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(json_of(answer).await["Message"].is_string());
    }
    let keyless = harness
        .post("/QuickPulseService.svc/ping")
        .send()
        .await
        .unwrap();
    assert_eq!(keyless.status(), 400);
    for server in 0..100 {
        assert!(is_subscribed(&ping(&harness, &server.to_string()).await));
    }
    assert!(!is_subscribed(&ping(&harness, "one more").await));
    let servers = harness.json("/api/live/servers").await;
    assert_eq!(servers["servers"].as_array().unwrap().len(), 100);
    assert_eq!(servers["refused"], 1);
}

#[tokio::test]
async fn clients_need_no_token_and_pages_do_and_https_is_served_too() {
    let directory = std::env::temp_dir().join(format!("azmon-live-tls-{}", std::process::id()));
    let any = "127.0.0.1:0".parse().unwrap();
    let builder = Portal::builder()
        .token("secret")
        .listen_tls(any, &directory);
    let harness = Harness::start_with(builder).await;
    assert!(!is_subscribed(&ping(&harness, "a").await));
    for path in ["/api/live", "/api/live/servers", "/api/live/configuration"] {
        assert_eq!(
            harness.get(path).send().await.unwrap().status(),
            401,
            "{path}"
        );
    }
    let connection = harness.portal.connection_string_tls().unwrap();
    let (_, live) = connection.split_once("LiveEndpoint=").unwrap();
    let pem = std::fs::read(harness.portal.tls_certificate().unwrap()).unwrap();
    let client = Client::builder()
        .no_proxy()
        .tls_certs_only([Certificate::from_pem(&pem).unwrap()])
        .build()
        .unwrap();
    let address = format!("{live}/QuickPulseService.svc/ping?ikey={KEY}");
    let request = client.post(address).body(ping_body("b").to_string());
    assert!(!is_subscribed(&request.send().await.unwrap()));
    std::fs::remove_dir_all(directory).unwrap();
}
