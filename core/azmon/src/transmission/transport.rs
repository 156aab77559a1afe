use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;

/// Longest time for connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest time for one upload, from connecting to the end of the answer.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How much of an answer is read: errors of the largest batch, generously.
const MAX_ANSWER: usize = 4 << 20;

/// An answer of the ingestion endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Bytes,
}

/// There was no answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub(crate) struct SendError(pub(crate) String);

pub(crate) type Sending = Pin<Box<dyn Future<Output = Result<Reply, SendError>> + Send>>;

/// What carries a batch to an endpoint.
pub(crate) trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends a batch of newline-delimited JSON, compressed with gzip, and bounds its own time.
    fn post(&self, endpoint: &str, body: Bytes) -> Sending;
}

/// `POST {endpoint}/v2.1/track`.
#[derive(Debug, Clone)]
pub(crate) struct HttpTransport {
    client: reqwest::Client,
}

impl HttpTransport {
    pub(crate) fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(UPLOAD_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self { client })
    }
}

impl Transport for HttpTransport {
    // There is no User-Agent: the service would store it as the browser of every item's client.
    fn post(&self, endpoint: &str, body: Bytes) -> Sending {
        let request = self
            .client
            .post(format!("{endpoint}/v2.1/track"))
            .header(header::CONTENT_TYPE, "application/x-json-stream")
            .header(header::CONTENT_ENCODING, "gzip")
            .body(body);
        Box::pin(async move {
            let response = request.send().await.map_err(describe)?;
            let text = |name: header::HeaderName| {
                response
                    .headers()
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            Ok(Reply {
                status: response.status().as_u16(),
                retry_after: text(header::RETRY_AFTER),
                location: text(header::LOCATION),
                body: read(response).await.map_err(describe)?,
            })
        })
    }
}

/// Takes everything and sends it nowhere: for telemetry that is only looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nowhere;

impl Transport for Nowhere {
    fn post(&self, _endpoint: &str, _body: Bytes) -> Sending {
        let reply = Reply {
            status: 200,
            ..Reply::default()
        };
        Box::pin(std::future::ready(Ok(reply)))
    }
}

async fn read(mut response: reqwest::Response) -> Result<Bytes, reqwest::Error> {
    let mut body = BytesMut::new();
    while body.len() < MAX_ANSWER
        && let Some(chunk) = response.chunk().await?
    {
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The innermost cause says most: `connection refused`, `dns error`, `certificate expired`.
fn describe(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    SendError(format!("{error}: {cause}"))
}
