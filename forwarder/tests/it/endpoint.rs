//! An ingestion endpoint on a free port, which keeps the received items.

use std::io::Read;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use azmon::envelope::Envelope;
use flate2::read::MultiGzDecoder;
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
}

impl Endpoint {
    pub(crate) async fn start() -> Self {
        let shared = Arc::<Shared>::default();
        let router = Router::new()
            .route("/v2.1/track", post(track))
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
