//! Live metrics, in the form of each client that there is.

use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use azmon_portal::Portal;
use azmon_test_clients::python::python;
use reqwest::{Certificate, Client, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::client::{Harness, event, json_of};
use crate::contract;

const KEY: &str = "11111111-2222-3333-4444-555555555555";
const PATIENCE: Duration = Duration::from_secs(60);

/// A page that is open.
struct Page {
    response: Response,
    text: String,
}

impl Page {
    async fn open(harness: &Harness) -> Self {
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
    async fn until(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
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

    async fn server(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        let servers = |told: &Value| told["servers"].as_array().unwrap().clone();
        let told = self.until(|told| servers(told).iter().any(&holds)).await;
        servers(&told)
            .into_iter()
            .find(|server| holds(server))
            .unwrap()
    }
}

fn has_rows(server: &Value) -> bool {
    !server["rows"].as_array().unwrap().is_empty()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

fn is_subscribed(response: &Response) -> bool {
    assert_eq!(response.status(), 200);
    match header(response, "x-ms-qps-subscribed").unwrap() {
        "true" => true,
        "false" => false,
        other => panic!("{other}"),
    }
}

fn ping_body(stream: &str) -> Value {
    json!({"Version": "azmon", "InvariantVersion": 5, "Instance": "shop-1", "RoleName": "shop",
        "MachineName": "host", "StreamId": stream, "IsWebApp": false, "PerformanceCollectionSupported": true})
}

async fn call(harness: &Harness, path: &str, etag: &str, body: &Value) -> Response {
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

#[tokio::test]
async fn the_client_for_python_shows_with_its_faults() {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("../golden/otel-python-distro-quickpulse.json")).unwrap();
    let harness = Harness::start().await;
    let mut page = Page::open(&harness).await;
    for call in &recorded {
        let mut request = harness.post(call["path"].as_str().unwrap());
        for (name, value) in call["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let answer = request.body(call["body"].to_string()).send().await.unwrap();
        assert!(is_subscribed(&answer));
    }
    let told = page
        .until(|told| {
            told["samples"]
                .as_array()
                .unwrap()
                .iter()
                .any(|sample| sample["item"]["kind"] == "request")
        })
        .await;
    let server = &told["servers"][0];
    assert_eq!(server["role"], "demo.shop");
    assert_eq!(server["name"], "shop-1");
    assert_eq!(server["client"], "ulm_py3.11.7:otel1.45.2:dst1.8.11");
    assert_eq!(server["warnings"], json!(["values look like seconds"]));
    assert_eq!(server["rows"][0][1], 1.0);
    assert_eq!(server["rows"][0][11], 67_383_296.0);
    let samples = told["samples"].as_array().unwrap();
    let request = samples
        .iter()
        .find(|sample| sample["item"]["kind"] == "request")
        .unwrap();
    assert_eq!(request["item"]["name"], "GET /orders/<id>");
    assert_eq!(request["item"]["durationMs"], 0.0);
}

#[tokio::test]
async fn the_forms_of_dotnet_java_and_node_are_read() {
    let harness = Harness::start().await;
    let mut page = Page::open(&harness).await;
    // OpenTelemetry for .NET pings without a body.
    let request = harness.post(&format!(
        "/QuickPulseService.svc/ping?api-version=x&ikey={KEY}"
    ));
    let answer = request
        .header("x-ms-qps-stream-id", "ne")
        .header("x-ms-qps-instance-name", "ne-1")
        .header("x-ms-qps-role-name", "ne")
        .header("x-ms-qps-machine-name", "Unknown")
        .header("x-ms-qps-invariant-version", "5")
        .send()
        .await
        .unwrap();
    assert!(is_subscribed(&answer));
    let server = page.server(|server| server["role"] == "ne").await;
    assert_eq!(server["name"], "ne-1");
    let view = json!({"streams": [], "charts": [{"id": "own chart", "telemetryType": "Request", "groups": [],
        "projection": "Count()", "aggregation": "Sum", "across": "Sum"}]});
    let put = harness
        .request("PUT", "/api/live/configuration")
        .body(view.to_string());
    assert_eq!(put.send().await.unwrap().status(), 200);
    // The classic one: dates of its own, keys in upper case, old names of metrics, no transmission time.
    let classic = json!([{
        "InstrumentationKey": KEY, "Version": "2.22.0", "InvariantVersion": 5, "Instance": "nc-1", "RoleName": "nc",
        "MachineName": "host", "StreamId": "nc", "ProcessorCount": 4, "PerformanceCollectionSupported": true,
        "Timestamp": "/Date(1763649684000)/", "TopCpuProcesses": [{"ProcessName": "w3wp", "CpuPercentage": 7}],
        "Metrics": [
            {"Name": r"\ApplicationInsights\Requests/Sec", "Value": 4.0, "Weight": 1},
            {"Name": r"\ApplicationInsights\Request Duration", "Value": 250.5, "Weight": 4},
            {"Name": r"\Processor(_Total)\% Processor Time", "Value": 12.5, "Weight": 1},
            {"Name": r"\Memory\Committed Bytes", "Value": 1024.0, "Weight": 1},
            {"Name": "own chart", "Value": 3.0, "Weight": 0},
            {"Name": "of an older configuration", "Value": 3.0, "Weight": 1}],
        "CollectionConfigurationErrors": [{"CollectionConfigurationErrorType": "MetricFailureToCreate", "Message": "no",
            "FullException": "", "Data": [{"Key": "MetricId", "Value": "own chart"}, {"Key": "ETag", "Value": "x"}]}],
        "GlobalDocumentQuotaReached": true,
        "Documents": [{"__type": "RequestTelemetryDocument:http://schemas.microsoft.com", "DocumentType": "Request",
            "Id": "1", "Version": "1.1", "Timestamp": {"DateTime": "/Date(1763649683900)/", "OffsetMinutes": 0},
            "Name": "GET /", "Url": "http://x/", "ResponseCode": "500", "Success": false, "Duration": "PT0.25S",
            "OperationId": "0af7", "DocumentStreamIds": ["failed requests"], "Properties": [{"key": "a", "value": "b"}]}]}]);
    for _ in 0..2 {
        // The same point twice, as after an answer that was lost.
        assert!(is_subscribed(&call(&harness, "post", "", &classic).await));
    }
    let told = page
        .until(|told| !told["samples"].as_array().unwrap().is_empty())
        .await;
    assert_eq!(told["samples"].as_array().unwrap().len(), 1);
    let item = &told["samples"][0]["item"];
    assert_eq!(item["happened"], 1_763_649_683_900_i64);
    assert_eq!(
        (&item["durationMs"], &item["success"]),
        (&json!(250.0), &json!(false))
    );
    assert_eq!(item["properties"], json!({"a": "b"}));
    let server = page
        .server(|server| server["role"] == "nc" && has_rows(server))
        .await;
    assert_eq!(server["rows"].as_array().unwrap().len(), 1);
    let row = server["rows"][0].as_array().unwrap();
    assert_eq!(row[1..4], [json!(4.0), json!(250.5), json!(4.0)]);
    let own = json!({"own chart": [3.0, 0.0]});
    assert_eq!(row[10..], [json!(12.5), json!(1024.0), own]);
    assert_eq!(
        server["errors"][0],
        json!({"type": "MetricFailureToCreate", "message": "no", "of": "own chart"})
    );
    assert_eq!(server["isQuotaReached"], true);
    // Java and Node.js: dates of ISO 8601; Node.js sends codes that are no numbers, an exception without its type.
    for (stream, document) in [
        (
            "java",
            json!({"DocumentType": "RemoteDependency", "Name": "SELECT", "CommandName": "SELECT 1", "ResultCode": "0", "Duration": "PT0.001S"}),
        ),
        (
            "node",
            json!({"DocumentType": "RemoteDependency", "Name": "x", "ResultCode": f64::NAN.to_string(), "Duration": "PT1S"}),
        ),
        (
            "old",
            json!({"ExceptionType": "Error", "ExceptionMessage": "broken"}),
        ),
    ] {
        let mut point = ping_body(stream);
        point["RoleName"] = json!(stream);
        point["InvariantVersion"] = json!(if stream == "old" { 1 } else { 5 });
        point["Timestamp"] = json!("2026-11-20T14:41:24.738Z");
        point["Metrics"] = json!([{"Name": r"\ApplicationInsights\Requests/Sec", "Value": 1}]);
        point["Documents"] = json!([document]);
        assert!(is_subscribed(
            &call(&harness, "post", "", &json!([point])).await
        ));
    }
    let told = page
        .until(|told| told["servers"].as_array().unwrap().len() == 5)
        .await;
    let old = told["servers"]
        .as_array()
        .unwrap()
        .iter()
        .find(|server| server["role"] == "old");
    assert_eq!(
        old.unwrap()["warnings"],
        json!(["its samples cannot be filtered"])
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
async fn what_is_too_large_too_many_or_no_json_is_refused_and_said() {
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_client_for_python_is_a_server_with_its_figures() {
    let python = || {
        let packages = ["azure-monitor-opentelemetry==1.8.11"];
        python(env!("CARGO_TARGET_TMPDIR"), "live-metrics", &packages)
    };
    let python = tokio::task::spawn_blocking(python).await.unwrap();
    let harness = Harness::start().await;
    let mut page = Page::open(&harness).await;
    let mut client = Command::new(python)
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/data/live_metrics.py"
        ))
        .arg(harness.portal.connection_string())
        .env("OTEL_SERVICE_NAME", "python-service")
        .env("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let server = page
        .server(|server| {
            let rows = server["rows"].as_array().unwrap();
            let is_counted = rows.iter().any(|row| row[1].as_f64() > Some(1.0));
            server["source"] == "liveMetrics" && is_counted
        })
        .await;
    drop(client.stdin.take());
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(server["role"], "python-service");
    assert!(
        server["client"].as_str().unwrap().contains("py3."),
        "{server}"
    );
    let row = server["rows"].as_array().unwrap().last().unwrap();
    assert!(row[11].as_f64() > Some(1e6), "memory of the process: {row}");
}
