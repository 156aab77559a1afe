//! The transport of batches to the endpoint.

use std::fmt;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header;

use crate::error::{BuildErrorKind, innermost};
use crate::transmission::tokens::Tokens;

/// Timeout of connecting.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout of one upload, from connecting to the end of the answer.
const UPLOAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Maximum size of an answer that is read, in bytes: errors of the largest batch fit easily.
const MAX_ANSWER: usize = 4 << 20;

/// An answer of the ingestion endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) body: Bytes,
}

/// An upload without an answer.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SendError {
    message: String,
    is_outage: bool,
}

impl SendError {
    /// The endpoint is unreachable or did not answer.
    pub(crate) fn new(message: String) -> Self {
        Self {
            message,
            is_outage: false,
        }
    }

    /// No batch can be sent at the moment.
    pub(crate) fn outage(message: String) -> Self {
        Self {
            message,
            is_outage: true,
        }
    }

    pub(super) fn is_outage(&self) -> bool {
        self.is_outage
    }
}

pub(crate) type Sending = Pin<Box<dyn Future<Output = Result<Reply, SendError>> + Send>>;

/// Carries a batch to an endpoint.
pub(crate) trait Transport: fmt::Debug + Send + Sync + 'static {
    /// Sends a batch of newline-delimited JSON, compressed with gzip. The implementation has its own timeout.
    fn post(&self, endpoint: &str, body: Bytes) -> Sending;

    /// Ends the pauses after failures, so that the next upload tries again.
    fn end_pauses(&self) {}
}

/// The network settings of an endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct NetworkSettings {
    /// The program's own client.
    pub(crate) client: Option<reqwest::Client>,
    /// A PEM file of certificates to trust in addition to those of the system.
    pub(crate) certificates: Option<PathBuf>,
    /// The source of tokens, if the resource requires them.
    pub(crate) tokens: Option<Arc<Tokens>>,
}

/// `POST {endpoint}/v2.1/track`.
#[derive(Debug, Clone)]
pub(crate) struct HttpTransport {
    pub(super) client: reqwest::Client,
    pub(super) tokens: Option<Arc<Tokens>>,
}

impl HttpTransport {
    /// Makes a transport to `endpoint`. Only `https://` needs certificates.
    pub(crate) fn new(endpoint: &str, settings: NetworkSettings) -> Result<Self, BuildErrorKind> {
        let client = match settings.client {
            Some(client) => client,
            None => http_client(endpoint, settings.certificates)?,
        };
        Ok(Self {
            client,
            tokens: settings.tokens,
        })
    }
}

/// Makes a client that honours the usual proxy variables.
fn http_client(
    endpoint: &str,
    certificates: Option<PathBuf>,
) -> Result<reqwest::Client, BuildErrorKind> {
    let is_secure = endpoint.starts_with("https://");
    if is_secure && !cfg!(feature = "rustls") {
        return Err(BuildErrorKind::NoTls);
    }
    let builder = || {
        reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(UPLOAD_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
    };
    tls::build(builder, is_secure, certificates)
}

#[cfg(feature = "rustls")]
mod tls {
    use std::path::PathBuf;

    use reqwest::{Certificate, Client, ClientBuilder};

    use crate::error::BuildErrorKind;

    /// An endpoint without TLS needs no certificates: missing certificates of the system must not prevent the program
    /// from starting.
    pub(super) fn build(
        builder: impl Fn() -> ClientBuilder,
        is_secure: bool,
        certificates: Option<PathBuf>,
    ) -> Result<Client, BuildErrorKind> {
        let mut own = Vec::new();
        if let Some(path) = certificates {
            let unusable = |error: &(dyn std::error::Error + 'static)| {
                BuildErrorKind::certificates(&path, error)
            };
            let pem = std::fs::read(&path).map_err(|error| unusable(&error))?;
            own = Certificate::from_pem_bundle(&pem).map_err(|error| unusable(&error))?;
        }
        let built = builder().tls_certs_merge(own).build();
        built.or_else(|error| {
            if is_secure {
                return Err(BuildErrorKind::transport(&error));
            }
            let without = builder().tls_certs_only([]).build();
            without.map_err(|error| BuildErrorKind::transport(&error))
        })
    }
}

#[cfg(not(feature = "rustls"))]
mod tls {
    use std::path::PathBuf;

    use reqwest::{Client, ClientBuilder};

    use crate::error::BuildErrorKind;

    pub(super) fn build(
        builder: impl Fn() -> ClientBuilder,
        _is_secure: bool,
        _certificates: Option<PathBuf>,
    ) -> Result<Client, BuildErrorKind> {
        let built = builder().build();
        built.map_err(|error| BuildErrorKind::transport(&error))
    }
}

impl Transport for HttpTransport {
    // The request has no User-Agent, because the service would store it as the browser of every item's client.
    fn post(&self, endpoint: &str, body: Bytes) -> Sending {
        let request = self
            .client
            .post(format!("{endpoint}/v2.1/track"))
            .timeout(UPLOAD_TIMEOUT)
            .header(header::CONTENT_TYPE, "application/x-json-stream")
            .header(header::CONTENT_ENCODING, "gzip");
        let (tokens, client) = (self.tokens.clone(), self.client.clone());
        Box::pin(async move {
            let Some(tokens) = tokens else {
                return answer(request.body(body)).await;
            };
            let attempt = |token: String| {
                let request = request.try_clone();
                request.map(|request| request.bearer_auth(token).body(body.clone()))
            };
            let cannot = || SendError::new("the request cannot be repeated".to_owned());
            let token = tokens.get(&client).await.map_err(SendError::outage)?;
            let reply = answer(attempt(token.clone()).ok_or_else(cannot)?).await?;
            if reply.status != 401 {
                return Ok(reply);
            }
            // The token may have been revoked before its expiry.
            tokens.forget(&token).await;
            let token = tokens.get(&client).await.map_err(SendError::outage)?;
            answer(attempt(token).ok_or_else(cannot)?).await
        })
    }

    fn end_pauses(&self) {
        if let Some(tokens) = &self.tokens {
            tokens.end_pause();
        }
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Result<Reply, SendError> {
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
}

/// Accepts all batches and sends none, for telemetry that is only shown on the console.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NullTransport;

impl Transport for NullTransport {
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

/// The innermost cause is the most specific: `connection refused`, `dns error`, `certificate expired`.
pub(super) fn describe(error: reqwest::Error) -> SendError {
    SendError::new(innermost(&error.without_url()))
}
