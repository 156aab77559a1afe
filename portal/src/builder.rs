//! The settings of a portal, and its start.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api::Context;
use crate::api::EndpointView;
use crate::bind_error::{BindError, Reason};
use crate::checks::{self, CheckStates, Checks};
use crate::portal::{Portal, Server, connection_string, url};
use crate::query::Tables;
use crate::router::router;
use crate::server::{AllowedHosts, Certificate, TlsListener, Token};
use crate::store::{Limits, Options, Store};

/// The default address of the program: 127.0.0.1:4320.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4320);

/// The default maximum size of the database: 1 GiB. Beyond it, the items that arrived first are removed.
pub const DEFAULT_MAX_BYTES: u64 = 1_024 * 1_024 * 1_024;

/// The settings of a [`Portal`].
#[derive(Debug, Clone)]
pub struct PortalBuilder {
    options: Options,
    hosts: Vec<String>,
    token: Option<String>,
    tls: Option<(SocketAddr, PathBuf)>,
    otlp_grpc: Option<SocketAddr>,
    otlp_http: Option<SocketAddr>,
    open_census: Option<SocketAddr>,
    checks: Checks,
}

impl Default for PortalBuilder {
    fn default() -> Self {
        Self {
            options: Options {
                directory: None,
                limits: Limits {
                    items: u64::MAX,
                    bytes: DEFAULT_MAX_BYTES,
                    age: None,
                },
                max_pages: None,
            },
            hosts: Vec::new(),
            token: None,
            tls: None,
            otlp_grpc: None,
            otlp_http: None,
            open_census: None,
            checks: Checks::default(),
        }
    }
}

impl Portal {
    /// Makes a builder with the default limits and a temporary database.
    #[must_use]
    pub fn builder() -> PortalBuilder {
        PortalBuilder::default()
    }
}

impl PortalBuilder {
    /// Keeps the data in this directory, which is created if missing. Defaults to a temporary directory, which is
    /// removed when the portal ends.
    #[must_use]
    pub fn data_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.directory = Some(directory.into());
        self
    }

    /// Keeps at most this many items. Defaults to no limit.
    #[must_use]
    pub const fn max_items(mut self, items: u64) -> Self {
        self.options.limits.items = items;
        self
    }

    /// Removes the oldest items when the database exceeds this many bytes. Defaults to [`DEFAULT_MAX_BYTES`].
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.options.limits.bytes = bytes;
        self
    }

    /// Removes items that arrived longer ago than this. Defaults to no limit.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.options.limits.age = Some(age);
        self
    }

    /// Allows reading the portal under another name of this machine, such as a container's.
    ///
    /// `localhost`, its subdomains, loopback addresses and the listening address are always allowed. The check
    /// prevents other web pages from reading telemetry by DNS rebinding.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Requires this token from readers. By default, a portal that listens beyond loopback generates a token
    /// ([`Portal::token`]).
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Also listens for HTTPS. The certificate is read from the directory, or created in it.
    #[must_use]
    pub fn listen_tls(mut self, address: SocketAddr, directory: impl Into<PathBuf>) -> Self {
        self.tls = Some((address, directory.into()));
        self
    }

    /// Receives OTLP over gRPC on this address. If the port is in use, the endpoint is skipped and reported.
    #[must_use]
    pub const fn otlp_grpc(mut self, address: SocketAddr) -> Self {
        self.otlp_grpc = Some(address);
        self
    }

    /// Receives OTLP over HTTP (protobuf and JSON) on this address. If the port is in use, the endpoint is
    /// skipped and reported.
    #[must_use]
    pub const fn otlp_http(mut self, address: SocketAddr) -> Self {
        self.otlp_http = Some(address);
        self
    }

    /// Receives OpenCensus (and OTLP over gRPC) on this address. If the port is in use, the endpoint is skipped
    /// and reported.
    #[must_use]
    pub const fn open_census(mut self, address: SocketAddr) -> Self {
        self.open_census = Some(address);
        self
    }

    /// Runs these availability tests and alert rules. Defaults to none.
    #[must_use]
    pub fn checks(mut self, checks: Checks) -> Self {
        self.checks = checks;
        self
    }

    /// Limits the database to this many pages of 4 KiB, like a full disk, to test the responses to clients.
    #[doc(hidden)]
    #[must_use]
    pub const fn max_pages(mut self, pages: u32) -> Self {
        self.options.max_pages = Some(pages);
        self
    }

    /// Listens on `address`, and serves from tasks of the current Tokio runtime. Port 0 selects a free port.
    ///
    /// # Errors
    /// If the address cannot be bound, for example because another program uses the port; if the database is
    /// unusable, for example because another portal uses it or it is damaged; if the certificate cannot be read
    /// or created; if the query of an alert rule is wrong.
    ///
    /// # Panics
    /// Outside a Tokio runtime with I/O and time enabled.
    pub async fn bind(self, address: SocketAddr) -> Result<Portal, BindError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|source| BindError::listen(address, source))?;
        let address = listener
            .local_addr()
            .map_err(|source| BindError::listen(address, source))?;
        let token = match self.token {
            Some(token) => Some(Token::new(token)),
            None if address.ip().is_loopback() => None,
            None => Some(Token::random().map_err(|reason| BindError(Reason::Token(reason)))?),
        };
        let options = self.options;
        let opened = tokio::task::spawn_blocking(move || Store::open(&options)).await;
        let store = Arc::new(opened.map_err(|error| BindError(Reason::Token(error.to_string())))??);
        let connection_string: Arc<str> = connection_string("http", address).into();
        let tls = match &self.tls {
            Some((address, directory)) => {
                let certificate = Certificate::of_directory(directory, &self.hosts)?;
                let listener = TlsListener::bind(*address, &certificate)
                    .await
                    .map_err(|source| BindError::listen(*address, source))?;
                Some((listener, certificate))
            }
            None => None,
        };
        let mut endpoints = vec![open("track", url("http", address))];
        let (connection_string_tls, certificate) = match &tls {
            Some((listener, certificate)) => {
                use axum::serve::Listener;
                let address = listener
                    .local_addr()
                    .map_err(|source| BindError::listen(address, source))?;
                endpoints.push(open("trackTls", url("https", address)));
                (
                    Some(Arc::from(self::connection_string("https", address))),
                    Some(certificate.path().to_owned()),
                )
            }
            None => {
                endpoints.push(off("trackTls"));
                (None, None)
            }
        };
        check_queries(&self.checks, &store)?;
        let checks = CheckStates::new(self.checks);
        let (stop, stopped) = watch::channel(false);
        let otlp = crate::otlp::start(
            &store,
            (self.otlp_grpc, self.otlp_http, self.open_census),
            &stopped,
        )
        .await;
        endpoints.extend(otlp.endpoints);
        let endpoints: Arc<[EndpointView]> = endpoints.into();
        let context = Context {
            store: Arc::clone(&store),
            connection_string: Arc::clone(&connection_string),
            connection_string_tls: connection_string_tls.clone(),
            tls_certificate: certificate.clone(),
            endpoints: Arc::clone(&endpoints),
            otlp: otlp.reader,
            checks: {
                let checks = Arc::clone(&checks);
                Arc::new(move || checks.view())
            },
        };
        let routes = router(
            context,
            AllowedHosts::new(address, &self.hosts),
            token.clone(),
        );
        let mut servers: Vec<Server> = otlp.tasks.into_iter().map(Server).collect();
        let running = checks::start(&checks, &store, &stopped)
            .map_err(|error| BindError(Reason::Checks(error.to_string())))?;
        servers.extend(running.into_iter().map(Server));
        servers.push(serve(listener, routes.clone(), stopped.clone()));
        if let Some((listener, _)) = tls {
            servers.push(serve(listener, routes, stopped));
        }
        Ok(Portal {
            address,
            connection_string,
            connection_string_tls,
            certificate,
            token,
            endpoints,
            store,
            stop,
            servers,
        })
    }
}

fn serve<L>(listener: L, routes: axum::Router, mut stopped: watch::Receiver<bool>) -> Server
where
    L: axum::serve::Listener,
    L::Addr: std::fmt::Debug,
{
    let server = axum::serve(listener, routes).with_graceful_shutdown(async move {
        // Ends at the value, or when the portal that would send it has ended.
        let _ = stopped.wait_for(|is_stopped| *is_stopped).await;
    });
    Server(tokio::spawn(async {
        if let Err(error) = server.await {
            tracing::error!(%error, "the server ended");
        }
    }))
}

/// Finds the mistakes of alert rules before the first evaluation.
fn check_queries(checks: &Checks, store: &Arc<Store>) -> Result<(), BindError> {
    let tables = Tables::of(store, "");
    for (name, query) in checks.queries() {
        if let Some(error) = azmon_kql::check(query, &tables, &azmon_kql::Options::new()).error {
            let message = format!("the query of the alert {name:?} is wrong: {error}");
            return Err(BindError(Reason::Checks(message)));
        }
    }
    Ok(())
}

fn open(name: &'static str, address: String) -> EndpointView {
    EndpointView {
        name,
        address: Some(address),
        state: "open",
        reason: None,
    }
}

fn off(name: &'static str) -> EndpointView {
    EndpointView {
        name,
        address: None,
        state: "off",
        reason: None,
    }
}
