//! An ingestion endpoint on a free port, which keeps the received items.

use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::IntoResponse;
use axum::routing::post;
use azmon::envelope::Envelope;
use flate2::read::MultiGzDecoder;
use serde_json::Value;
use tokio::sync::Notify;

/// The requests of an endpoint, and its scripted responses.
#[derive(Debug, Clone, Default)]
pub(crate) struct Endpoint {
    shared: Arc<Shared>,
    address: String,
}

#[derive(Debug, Default)]
struct Shared {
    envelopes: Mutex<Vec<Envelope<'static>>>,
    news: Notify,
    silent: std::sync::atomic::AtomicBool,
    /// The addresses and bodies of the calls of the live endpoint.
    live_calls: Mutex<Vec<(String, Value)>>,
    live_answer: Mutex<LiveAnswer>,
}

/// The response of the live endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum LiveAnswer {
    #[default]
    NotSubscribed,
    Failure,
    /// The call hangs.
    Nothing,
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let router = Router::new()
            .route("/v2.1/track", post(track))
            .route("/QuickPulseService.svc/{call}", post(live))
            .with_state(shared.clone());
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { shared, address }
    }

    /// Stops responding, like a service that hangs.
    pub(crate) fn fall_silent(&self) {
        let silent = &self.shared.silent;
        silent.store(true, std::sync::atomic::Ordering::Relaxed);
    }

    pub(crate) fn connection_string(&self) -> String {
        format!(
            "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://{}",
            self.address
        )
    }

    /// With Live Metrics.
    pub(crate) fn live_connection_string(&self) -> String {
        let live = format!(";LiveEndpoint=http://{}", self.address);
        self.connection_string() + &live
    }

    pub(crate) fn answer_live(&self, answer: LiveAnswer) {
        *self.shared.live_answer.lock().unwrap() = answer;
    }

    /// Waits until the calls of the live endpoint fit, each with its address and body.
    pub(crate) async fn wait_for_live_calls(
        &self,
        fits: impl Fn(&[(String, Value)]) -> bool,
    ) -> Vec<(String, Value)> {
        let wait = async {
            loop {
                let news = self.shared.news.notified();
                let calls = self.shared.live_calls.lock().unwrap().clone();
                if fits(&calls) {
                    return calls;
                }
                news.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait)
            .await
            .unwrap_or_else(|_| panic!("only {:#?}", self.shared.live_calls))
    }

    pub(crate) fn envelopes(&self) -> Vec<Envelope<'static>> {
        self.shared.envelopes.lock().unwrap().clone()
    }

    /// Waits until this number of envelopes match.
    pub(crate) async fn wait_for(
        &self,
        count: usize,
        fits: impl Fn(&Envelope<'static>) -> bool,
    ) -> Vec<Envelope<'static>> {
        let wait = async {
            loop {
                let news = self.shared.news.notified();
                let envelopes = self.envelopes().into_iter();
                let found: Vec<_> = envelopes.filter(|one| fits(one)).collect();
                if found.len() >= count {
                    return found;
                }
                news.await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), wait)
            .await
            .unwrap_or_else(|_| panic!("only {:#?}", self.envelopes()))
    }
}

async fn track(State(shared): State<Arc<Shared>>, body: Bytes) -> (StatusCode, String) {
    if shared.silent.load(std::sync::atomic::Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
    let mut lines = String::new();
    MultiGzDecoder::new(&*body)
        .read_to_string(&mut lines)
        .unwrap();
    let envelopes: Vec<Envelope<'static>> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let count = envelopes.len();
    shared.envelopes.lock().unwrap().extend(envelopes);
    shared.news.notify_waiters();
    let answer = format!(r#"{{"itemsReceived":{count},"itemsAccepted":{count},"errors":[]}}"#);
    (StatusCode::OK, answer)
}

async fn live(State(shared): State<Arc<Shared>>, uri: Uri, body: Bytes) -> impl IntoResponse {
    let call = (uri.to_string(), serde_json::from_slice(&body).unwrap());
    shared.live_calls.lock().unwrap().push(call);
    shared.news.notify_waiters();
    let answer = *shared.live_answer.lock().unwrap();
    let status = match answer {
        LiveAnswer::NotSubscribed => StatusCode::OK,
        LiveAnswer::Failure => StatusCode::INTERNAL_SERVER_ERROR,
        LiveAnswer::Nothing => std::future::pending().await,
    };
    (status, [("x-ms-qps-subscribed", "false")])
}
