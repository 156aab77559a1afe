//! A running portal.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::EndpointView;
use crate::ingestion::INSTRUMENTATION_KEY;
use crate::server::{Token, reachable};
use crate::store::{Item, Statistics, Store};

/// The maximum time that [`Portal::shutdown`] waits for running requests.
const GRACE: Duration = Duration::from_secs(5);

/// The pause between two checks whether the store can be closed, and the number of checks.
const RELEASE_PAUSE: Duration = Duration::from_millis(5);
const RELEASE_ATTEMPTS: usize = 200;

/// A running portal. Dropping it ends it, and cancels running requests.
#[derive(Debug)]
#[must_use = "the portal ends when it is dropped"]
pub struct Portal {
    pub(crate) address: SocketAddr,
    pub(crate) connection_string: Arc<str>,
    pub(crate) connection_string_tls: Option<Arc<str>>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) token: Option<Token>,
    pub(crate) endpoints: Arc<[EndpointView]>,
    pub(crate) store: Arc<Store>,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) servers: Vec<Server>,
}

/// Ends a server's task together with its portal.
#[derive(Debug)]
pub(crate) struct Server(pub(crate) JoinHandle<()>);

impl Portal {
    /// The listening address, with the actual port if port 0 was requested.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL to open in a browser, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        url("http", self.address)
    }

    /// The connection string for applications on this machine.
    #[must_use]
    pub fn connection_string(&self) -> &str {
        &self.connection_string
    }

    /// The connection string of the HTTPS endpoint, if it is enabled.
    #[must_use]
    pub fn connection_string_tls(&self) -> Option<&str> {
        self.connection_string_tls.as_deref()
    }

    /// The certificate, as a PEM file, that clients of the HTTPS endpoint must trust.
    #[must_use]
    pub fn tls_certificate(&self) -> Option<&Path> {
        self.certificate.as_deref()
    }

    /// The token that readers need; `None` if only this machine can reach the portal.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(Token::as_str)
    }

    /// The address of another endpoint, if it is open: `otlpGrpc`, `otlpHttp` or `openCensus`.
    #[must_use]
    pub fn otlp_endpoint(&self, name: &str) -> Option<&str> {
        let endpoint = self
            .endpoints
            .iter()
            .find(|endpoint| endpoint.name == name)?;
        endpoint
            .address
            .as_deref()
            .filter(|_| endpoint.state == "open")
    }

    /// The endpoints that are not open, with the reasons.
    pub fn closed_endpoints(&self) -> impl Iterator<Item = (&str, &str)> {
        let taken = self
            .endpoints
            .iter()
            .filter(|endpoint| endpoint.state == "taken");
        taken.filter_map(|endpoint| Some((endpoint.name, endpoint.reason.as_deref()?)))
    }

    /// The data directory; `None` if the database is temporary.
    #[must_use]
    pub fn data_directory(&self) -> Option<&Path> {
        self.store.directory()
    }

    /// All stored items, in the order of arrival. Reads the database on the calling thread.
    #[must_use]
    pub fn items(&self) -> Vec<Arc<Item>> {
        match self.store.all() {
            Ok(items) => items.into_iter().map(Arc::new).collect(),
            Err(error) => {
                tracing::error!(%error, "items could not be read");
                Vec::new()
            }
        }
    }

    /// The numbers of received, rejected and removed items.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.store.statistics()
    }

    pub(crate) const fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// Stops listening, and waits up to 5 s for running requests. Accepted items are written before the database
    /// is closed.
    ///
    /// # Cancel safety
    /// Dropping the future cancels running requests at once.
    pub async fn shutdown(self) {
        let Self {
            stop,
            mut servers,
            mut store,
            ..
        } = self;
        // Sending fails only if the servers ended before.
        let _ = stop.send(true);
        let ended = async {
            for server in &mut servers {
                // A server's panic was logged.
                let _ = (&mut server.0).await;
            }
        };
        if tokio::time::timeout(GRACE, ended).await.is_err() {
            tracing::warn!("open requests were cut off");
        }
        drop(servers);
        // Cancelled tasks release the store with a delay.
        for _ in 0..RELEASE_ATTEMPTS {
            match Arc::try_unwrap(store) {
                Ok(store) => {
                    // Closing waits for the disk. It fails only if the runtime ends as well.
                    let _ = tokio::task::spawn_blocking(move || drop(store)).await;
                    return;
                }
                Err(shared) => store = shared,
            }
            tokio::time::sleep(RELEASE_PAUSE).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn connection_string(scheme: &str, address: SocketAddr) -> String {
    let endpoint = url(scheme, address);
    format!(
        "InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={endpoint};LiveEndpoint={endpoint}"
    )
}

pub(crate) fn url(scheme: &str, address: SocketAddr) -> String {
    format!("{scheme}://{}", reachable(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_string_names_an_address_that_can_be_connected_to() {
        for (listening, endpoint) in [
            ("127.0.0.1:4320", "http://127.0.0.1:4320"),
            ("192.0.2.1:80", "http://192.0.2.1:80"),
            ("0.0.0.0:4320", "http://127.0.0.1:4320"),
            ("[::]:4320", "http://[::1]:4320"),
        ] {
            let text = connection_string("http", listening.parse().unwrap());
            let (_, endpoints) = text.split_once(";IngestionEndpoint=").unwrap();
            let (ingestion, live) = endpoints.split_once(";LiveEndpoint=").unwrap();
            assert_eq!((ingestion, live), (endpoint, endpoint));
        }
    }
}
