//! A scripted ingestion endpoint on its own thread.

use std::collections::VecDeque;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use azmon::envelope::Envelope;
use flate2::read::GzDecoder;
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Notify, oneshot};

/// Timeout of a test's wait.
const PATIENCE: Duration = Duration::from_secs(20);

/// The answer to the next request.
#[derive(Debug, Clone)]
pub(crate) enum Script {
    /// Accepts all items.
    Accept,
    /// Answers with a status and a header.
    Status(u16, Option<(&'static str, String)>),
    /// Answers 206 with these errors of these items.
    Partial(Vec<(usize, u16)>),
    /// Answers once [`Endpoint::release`] is called.
    Hold,
}

#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) envelopes: Vec<Envelope<'static>>,
}

impl Received {
    /// The names of the requests and dependencies in the body.
    pub(crate) fn names(&self) -> Vec<String> {
        self.envelopes.iter().map(crate::support::name).collect()
    }
}

#[derive(Debug, Default)]
struct Shared {
    script: Mutex<VecDeque<Script>>,
    received: Mutex<Vec<Received>>,
    arrived: Condvar,
    release: Notify,
}

#[derive(Debug)]
pub(crate) struct Endpoint {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Endpoint {
    /// Answers by `script`, and then 500, so that an unexpected request is noticed.
    pub(crate) fn start(script: impl IntoIterator<Item = Script>) -> Self {
        Reserved::new().start(script)
    }

    /// Continues with a listener that a test has used before.
    pub(crate) fn continue_on(
        listener: std::net::TcpListener,
        script: impl IntoIterator<Item = Script>,
    ) -> Self {
        listener.set_nonblocking(true).unwrap();
        Self::start_with(script, move || TcpListener::from_std(listener).unwrap())
    }

    fn start_with(
        script: impl IntoIterator<Item = Script>,
        listen: impl FnOnce() -> TcpListener + Send + 'static,
    ) -> Self {
        let script = Mutex::new(script.into_iter().collect());
        let shared = Arc::new(Shared {
            script,
            ..Shared::default()
        });
        let (started, address_known) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let app = Router::new().fallback(answer).with_state(shared.clone());
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = listen();
                started.send(listener.local_addr().unwrap()).unwrap();
                tokio::select! {
                    result = axum::serve(listener, app).into_future() => result.unwrap(),
                    _ = stopped => {}
                }
            });
        });
        let address = address_known.recv_timeout(PATIENCE).unwrap();
        Self {
            address,
            shared,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn connection_string(&self) -> String {
        connection_string(self.address)
    }

    /// The requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until this many requests have arrived.
    pub(crate) fn wait_for(&self, requests: usize) {
        let received = self.shared.received.lock().unwrap();
        let waited = self
            .shared
            .arrived
            .wait_timeout_while(received, PATIENCE, |received| received.len() < requests);
        let (received, timeout) = waited.unwrap();
        assert!(
            !timeout.timed_out(),
            "{} of {requests} requests arrived",
            received.len()
        );
    }

    /// Answers all held requests.
    pub(crate) fn release(&self) {
        self.shared.release.notify_waiters();
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub(crate) fn connection_string(address: SocketAddr) -> String {
    format!(
        "InstrumentationKey=8f2e0d9c-0000-4000-8000-000000000001;IngestionEndpoint=http://{address}/"
    )
}

/// An address that refuses connections until an endpoint is started at it.
pub(crate) struct Reserved(TcpSocket);

impl Reserved {
    pub(crate) fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .unwrap();
        Self(socket)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub(crate) fn start(self, script: impl IntoIterator<Item = Script>) -> Endpoint {
        Endpoint::start_with(script, move || self.0.listen(128).unwrap())
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request<axum::body::Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    let envelopes = decode(&body);
    let items = envelopes.len();
    let next = shared.script.lock().unwrap().pop_front();
    // A test that sees the request arrive may release it at once.
    let released = shared.release.notified();
    tokio::pin!(released);
    released.as_mut().enable();
    let received = Received {
        method: parts.method,
        uri: parts.uri,
        headers: parts.headers,
        envelopes,
    };
    shared.received.lock().unwrap().push(received);
    shared.arrived.notify_all();
    match next {
        Some(Script::Accept) => track_answer(200, items, &[]),
        Some(Script::Partial(errors)) => track_answer(206, items, &errors),
        Some(Script::Status(status, header)) => {
            let headers: Vec<_> = header.into_iter().collect();
            (
                StatusCode::from_u16(status).unwrap(),
                axum::response::AppendHeaders(headers),
            )
                .into_response()
        }
        Some(Script::Hold) => {
            released.await;
            track_answer(200, items, &[])
        }
        None => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn track_answer(status: u16, items: usize, errors: &[(usize, u16)]) -> Response {
    let errors: Vec<_> = errors
        .iter()
        .map(|(index, status)| json!({"index": index, "statusCode": status, "message": "scripted"}))
        .collect();
    let body =
        json!({"itemsReceived": items, "itemsAccepted": items - errors.len(), "errors": errors});
    (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
}

fn decode(body: &Bytes) -> Vec<Envelope<'static>> {
    let mut text = String::new();
    GzDecoder::new(&body[..]).read_to_string(&mut text).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}
