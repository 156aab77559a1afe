//! Live Metrics of services that have none of their own: OTLP to a forwarder, whose destination is the portal.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use azmon::Storage;
use azmon_forwarder::Forwarder;
use azmon_forwarder::config::ForwarderConfig;
use azmon_portal::Portal;
use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::time::timeout;

/// Of a hundred million traces one is sent, and none of these.
const FORWARDER: &str = r#"
    standard-metrics = false
    [inputs]
    otlp-http = "127.0.0.1:0"
    [sampling]
    kind = "fixed"
    percent = 0.000001
"#;

/// A service that sends OTLP.
struct Service {
    client: Client,
    forwarder: SocketAddr,
    name: &'static str,
    sent: u64,
}

impl Service {
    /// Sends a request that took so long, in milliseconds.
    async fn serve(&mut self, milliseconds: u64, customer: &str) {
        self.sent += 1;
        let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let end = since_1970.unwrap().as_nanos() as u64;
        let text = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
        let span = json!({
            "traceId": format!("{:032x}", self.sent),
            "spanId": format!("{:016x}", self.sent),
            "name": "GET /",
            "kind": 2,
            "startTimeUnixNano": (end - milliseconds * 1_000_000).to_string(),
            "endTimeUnixNano": end.to_string(),
            "attributes": [text("customer", customer)],
        });
        let resource = [
            text("service.name", self.name),
            text("service.instance.id", "one"),
        ];
        let body = json!({"resourceSpans": [
            {"resource": {"attributes": resource}, "scopeSpans": [{"spans": [span]}]}
        ]});
        let url = format!("http://{}/v1/traces", self.forwarder);
        let request = self.client.post(url).body(body.to_string());
        let request = request.header("content-type", "application/json");
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
}

/// The servers that an open page has received.
struct Page {
    response: Response,
    text: String,
    /// Requests and slow requests, by role and second.
    seconds: BTreeMap<(String, u64), (f64, f64)>,
    /// Customers of samples.
    customers: Vec<String>,
}

impl Page {
    /// Reads on until something holds.
    async fn until(&mut self, holds: impl Fn(&Self) -> bool) {
        let read = async {
            while !holds(self) {
                let chunk = self.response.chunk().await.unwrap();
                let chunk = chunk.expect("the stream ended");
                self.text.push_str(str::from_utf8(&chunk).unwrap());
                while let Some((event, rest)) = self.text.split_once("\n\n") {
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    let told = data.map(|data| serde_json::from_str(data).unwrap());
                    self.text = rest.to_owned();
                    if let Some(told) = told {
                        self.read(&told);
                    }
                }
            }
        };
        let read = timeout(Duration::from_secs(60), read).await;
        read.unwrap_or_else(|_| panic!("only {:?}, {:?}", self.seconds, self.customers));
    }

    fn read(&mut self, told: &Value) {
        for server in told["servers"].as_array().unwrap() {
            if server["source"] != "liveMetrics" {
                continue;
            }
            assert_eq!(server["name"], "one");
            assert_eq!(server["measuresProcess"], false);
            assert_eq!(
                server["warnings"],
                json!([]),
                "it does not pass for the sender's SDK"
            );
            let role = server["role"].as_str().unwrap();
            for row in server["rows"].as_array().unwrap() {
                let number = |index: usize| row[index].as_f64().unwrap();
                let second = (role.to_owned(), number(0) as u64);
                // The weight of the duration is the number of requests.
                let slow = row[12]["slow"][0].as_f64();
                self.seconds
                    .insert(second, (number(3), slow.unwrap_or_default()));
            }
        }
        for sample in told["samples"].as_array().unwrap() {
            let customer = &sample["item"]["properties"]["customer"];
            self.customers.push(customer.as_str().unwrap().to_owned());
        }
    }

    /// Requests and slow requests; `None` if the role did not post.
    fn of(&self, role: &str) -> Option<(f64, f64)> {
        let seconds = self.seconds.iter().filter(|((of, _), _)| of == role);
        let counts = seconds.map(|(_, counts)| *counts);
        counts.reduce(|(all, slow), (more, slower)| (all + more, slow + slower))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_role_of_a_forwarder_is_a_server_with_its_figures_before_sampling_and_its_filters() {
    let portal = Portal::builder()
        .bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let client = Client::builder().no_proxy().build().unwrap();
    let condition = |field: &str, predicate: &str, comparand: &str| json!({"field": field, "predicate": predicate, "comparand": comparand});
    let configuration = json!({
        "charts": [{
            "id": "slow", "telemetryType": "Request", "projection": "Count()", "aggregation": "Sum", "across": "Sum",
            "groups": [[condition("Duration", "GreaterThan", "0.00:00:01")]],
        }],
        "streams": [{"id": "gold", "groups": [{
            "telemetryType": "Request",
            "filters": [condition("CustomDimensions.customer", "Equal", "gold")],
        }]}],
    });
    let url = format!("{}/api/live/configuration", portal.url());
    let put = client.put(url).body(configuration.to_string());
    let put = put.header("content-type", "application/json");
    assert_eq!(put.send().await.unwrap().status(), 200);

    let mut config = ForwarderConfig::from_toml("test.toml", FORWARDER).unwrap();
    config.set_default_connection_string(portal.connection_string());
    config.storage = Storage::off();
    let forwarder = Forwarder::start(config).await.unwrap();
    let service = |name| Service {
        client: client.clone(),
        forwarder: forwarder.addresses()[0].1,
        name,
        sent: 0,
    };
    let (mut shop, mut billing) = (service("shop"), service("billing"));
    let url = format!("{}/api/live", portal.url());
    let mut page = Page {
        response: client.get(url).send().await.unwrap(),
        text: String::new(),
        seconds: BTreeMap::new(),
        customers: Vec::new(),
    };

    // The first item of a role starts its client.
    shop.serve(10, "none").await;
    billing.serve(10, "none").await;
    page.until(|page| page.of("shop").is_some() && page.of("billing").is_some())
        .await;
    for _ in 0..20 {
        shop.serve(10, "none").await;
    }
    shop.serve(2_000, "gold").await;
    for _ in 0..5 {
        billing.serve(2_000, "silver").await;
    }
    let expected = [("shop", (21.0, 1.0)), ("billing", (5.0, 5.0))];
    page.until(|page| {
        let is_complete = expected
            .iter()
            .all(|(role, counts)| page.of(role) == Some(*counts));
        is_complete && !page.customers.is_empty()
    })
    .await;
    assert_eq!(page.customers, ["gold"]);
    assert!(portal.items().is_empty(), "they were not sampled");
    drop(page);
    forwarder.shutdown().await;
    portal.shutdown().await;
}
