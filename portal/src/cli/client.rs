//! The client of a portal's API.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::Value;

use crate::cli::arguments::{Filters, PortalAddress};

const CONNECT: Duration = Duration::from_secs(5);

pub(super) struct PortalClient {
    client: Client,
    address: PortalAddress,
}

impl PortalClient {
    pub(super) fn new(address: PortalAddress) -> Result<Self, String> {
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .no_proxy()
            .build()
            .map_err(|error| format!("cannot make a client: {error}"))?;
        Ok(Self { client, address })
    }

    pub(super) fn url(&self) -> &str {
        self.address.portal.trim_end_matches('/')
    }

    pub(super) fn request(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
    ) -> RequestBuilder {
        let pairs = query.iter().map(|(name, value)| {
            let value =
                percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
            format!("{name}={value}")
        });
        let pairs = pairs.collect::<Vec<_>>().join("&");
        let request = self
            .client
            .request(method, format!("{}{path}?{pairs}", self.url()));
        match &self.address.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    /// Sends a request, and converts an error response to a message.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, String> {
        let response = request.send().await.map_err(|error| {
            if error.is_connect() {
                format!(
                    "no portal answers at {}; start one with: azmon portal",
                    self.url()
                )
            } else {
                format!("{} does not answer: {error}", self.url())
            }
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        let message = serde_json::from_str::<Value>(&text)
            .ok()
            .and_then(|body| {
                let message = body
                    .pointer("/error/innererror/innererror/message")
                    .or_else(|| body.pointer("/error/innererror/message"))
                    .or_else(|| body.get("message"))?;
                message.as_str().map(str::to_owned)
            })
            .unwrap_or(text);
        Err(format!("{} answers {status}: {message}", self.url()))
    }

    pub(super) async fn json(&self, path: &str, query: &[(&str, String)]) -> Result<Value, String> {
        let response = self.send(self.request(Method::GET, path, query)).await?;
        let text = response
            .text()
            .await
            .map_err(|error| format!("the answer ended early: {error}"))?;
        serde_json::from_str(&text).map_err(|error| format!("the answer is not JSON: {error}"))
    }
}

impl Filters {
    pub(super) fn query(&self) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        if !self.search.is_empty() {
            query.push(("q", self.search.join(" ")));
        }
        query.extend(self.kind.iter().map(|kind| ("kind", kind.clone())));
        query.extend(self.role.iter().map(|role| ("role", role.clone())));
        query.extend(self.app.iter().map(|app| ("app", app.clone())));
        query
    }
}
