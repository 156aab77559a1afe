//! One run of an availability test.

use std::borrow::Cow;
use std::time::{Duration, Instant, SystemTime};

use azmon_envelope::{AvailabilityData, Data, Envelope, Measurements, Properties, TimeSpan, tags};
use reqwest::{Client, Response};

use super::config::Test;

/// The maximum part of a response that is searched for the expected text, in bytes.
const MAX_TEXT: usize = 1_024 * 1_024;
/// The location of tests that run here.
const LOCATION: &str = "azmon portal";
/// The synthetic source of Application Insights' own availability tests.
const SOURCE: &str = "Application Insights Availability Monitoring";

/// The result of a run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Outcome {
    pub(super) time: SystemTime,
    pub(super) duration: Duration,
    /// The reason of a failure, or the status.
    pub(super) result: Result<String, String>,
    pub(super) ids: Ids,
}

/// Ids of a run's trace and of its own span in it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ids {
    trace: String,
    span: String,
}

impl Ids {
    fn random() -> Self {
        Self {
            trace: format!("{:032x}", fastrand::u128(1..)),
            span: format!("{:016x}", fastrand::u64(1..)),
        }
    }
}

/// Sends the request, and evaluates the response. Ends after the test's timeout at the latest.
pub(super) async fn run(client: &Client, test: &Test, now: SystemTime) -> Outcome {
    let ids = Ids::random();
    let started = Instant::now();
    let result = match tokio::time::timeout(test.timeout, ask(client, test, &ids)).await {
        Ok(result) => result,
        Err(_) => Err(format!("no answer within {:?}", test.timeout)),
    };
    Outcome {
        time: now,
        duration: started.elapsed(),
        result,
        ids,
    }
}

async fn ask(client: &Client, test: &Test, ids: &Ids) -> Result<String, String> {
    let parent = format!("00-{}-{}-01", ids.trace, ids.span);
    let request = client
        .request(test.method.clone(), test.url.clone())
        .headers(test.headers.clone())
        .header("traceparent", parent);
    let response = request.send().await.map_err(|error| reason(&error))?;
    let status = response.status();
    if status.as_u16() != test.status {
        return Err(format!("status {status}, not {}", test.status));
    }
    if let Some(text) = &test.text {
        let body = start_of(response).await?;
        if !String::from_utf8_lossy(&body).contains(text.as_str()) {
            return Err(format!("status {status}, without the text {text:?}"));
        }
    }
    Ok(status.to_string())
}

/// The error and its causes, which are more precise.
fn reason(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

async fn start_of(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while body.len() < MAX_TEXT
        && let Some(chunk) = response.chunk().await.map_err(|error| reason(&error))?
    {
        let room = MAX_TEXT - body.len();
        body.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
    }
    Ok(body)
}

/// The item of a run, in the form of Application Insights.
pub(super) fn envelope(test: &Test, outcome: &Outcome) -> Envelope<'static> {
    let (success, message) = match &outcome.result {
        Ok(message) => (true, message),
        Err(message) => (false, message),
    };
    let data = AvailabilityData {
        ver: azmon_envelope::SCHEMA_VERSION,
        id: Cow::Owned(outcome.ids.span.clone()),
        name: Cow::Owned(test.name.clone()),
        duration: TimeSpan(outcome.duration),
        success,
        run_location: Some(Cow::Borrowed(LOCATION)),
        message: Some(Cow::Owned(message.clone())),
        properties: Properties::new(),
        measurements: Measurements::new(),
    };
    let mut envelope = Envelope::new(outcome.time, Data::Availability(data));
    envelope.i_key = Cow::Owned(test.app.clone());
    for (tag, value) in [
        (tags::OPERATION_ID, outcome.ids.trace.clone()),
        (tags::OPERATION_NAME, test.name.clone()),
        (tags::OPERATION_SYNTHETIC_SOURCE, SOURCE.to_owned()),
        (tags::CLOUD_ROLE, LOCATION.to_owned()),
        (
            tags::INTERNAL_SDK_VERSION,
            concat!("azmon-portal:", env!("CARGO_PKG_VERSION")).to_owned(),
        ),
    ] {
        envelope.tags.insert(tag, Cow::Owned(value));
    }
    envelope.apply_limits();
    envelope
}
