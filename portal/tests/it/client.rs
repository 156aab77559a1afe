use std::io::Write;

use azmon_portal::{Portal, PortalBuilder};
use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};

use crate::contract;

/// A portal with a client for it.
pub(crate) struct Harness {
    pub(crate) portal: Portal,
    client: Client,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::start_with(Portal::builder()).await
    }

    pub(crate) async fn start_with(builder: PortalBuilder) -> Self {
        let portal = builder.bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let client = Client::builder().no_proxy().build().unwrap();
        Self { portal, client }
    }

    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.portal.url()))
    }

    pub(crate) fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.portal.url()))
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let method = method.parse().unwrap();
        let url = format!("{}{path}", self.portal.url());
        self.client.request(method, url)
    }

    /// Sends a body to `/v2.1/track`, and returns the status and the response.
    pub(crate) async fn track(&self, body: impl Into<reqwest::Body>) -> (StatusCode, Value) {
        let response = self.post("/v2.1/track").body(body).send().await.unwrap();
        (response.status(), json_of(response).await)
    }

    /// Sends items that must be accepted.
    pub(crate) async fn accept(&self, items: &[Value]) {
        let (status, answer) = self.track(Value::from(items).to_string()).await;
        assert_eq!(status, 200, "{answer}");
    }

    /// The text of a page. If the pages are not built, this is the page with the instructions for building them.
    pub(crate) async fn page(&self, path: &str) -> String {
        let response = self.get(path).send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        response.text().await.unwrap()
    }

    /// The items that the API returns for a query such as `?kind=request`.
    pub(crate) async fn items(&self, query: &str) -> Vec<Value> {
        let mut body = self.json(&format!("/api/items{query}")).await;
        serde_json::from_value(body["items"].take()).unwrap()
    }

    /// A response of the API, which must match its contract.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let response = self.get(path).send().await.unwrap();
        let status = response.status();
        let body = json_of(response).await;
        assert_eq!(status, 200, "{path}: {body}");
        contract::check("get", path, &body);
        body
    }
}

pub(crate) async fn json_of(response: Response) -> Value {
    let text = response.text().await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// A request in the form that an exporter sends.
pub(crate) fn request(name: &str, operation: &str) -> Value {
    json!({
        "name": "Microsoft.ApplicationInsights.Request",
        "time": "2026-11-20T12:00:00.250000Z",
        "iKey": "00000000-0000-0000-0000-000000000000",
        "tags": {
            "ai.operation.id": operation,
            "ai.operation.name": name,
            "ai.cloud.role": "shop",
            "ai.cloud.roleInstance": "shop-1"
        },
        "data": {"baseType": "RequestData", "baseData": {
            "ver": 2, "id": "b7ad6b7169203331", "name": name, "duration": "00:00:00.1250000",
            "success": true, "responseCode": "200", "url": "http://localhost/",
            "properties": {"colour": "green"}
        }}
    })
}

/// A custom event with only a name.
pub(crate) fn event(name: &str) -> Value {
    json!({
        "name": "Event", "time": "2026-11-20T12:00:00Z", "iKey": "k",
        "data": {"baseType": "EventData", "baseData": {"name": name}}
    })
}
