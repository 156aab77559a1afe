use std::time::Duration;

use serde::Deserialize;
use ureq::Agent;

use crate::error::Result;

/// Longer than the slowest route of the services.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client of the web front and of the portal.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
}

/// A request that arrived in the portal.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Arrived {
    #[serde(default)]
    pub(crate) operation_name: Option<String>,
    pub(crate) duration_ms: f64,
    pub(crate) result_code: String,
    pub(crate) success: bool,
}

#[derive(Debug, Deserialize)]
struct Items {
    items: Vec<Arrived>,
}

impl Client {
    pub(crate) fn new() -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .proxy(None)
            .build();
        Self {
            agent: config.new_agent(),
        }
    }

    /// The status of a GET.
    pub(crate) fn get(&self, url: &str, cookie: &str) -> Result<u16> {
        let response = self.agent.get(url).header("cookie", cookie).call()?;
        Ok(response.status().as_u16())
    }

    /// The status of a POST of JSON.
    pub(crate) fn post(&self, url: &str, cookie: &str, body: &serde_json::Value) -> Result<u16> {
        let request = self.agent.post(url).header("cookie", cookie);
        Ok(request.send_json(body)?.status().as_u16())
    }

    /// The requests to the web front that the portal has stored, newest first.
    pub(crate) fn requests(&self, portal: &str) -> Result<Vec<Arrived>> {
        let url = format!("{portal}/api/items?kind=request&role=web&limit=1000");
        let mut response = self.agent.get(&url).call()?;
        let items: Items = response.body_mut().read_json()?;
        Ok(items.items)
    }
}
