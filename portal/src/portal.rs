use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::server::{AllowedHosts, Context, router};
use crate::store::{DEFAULT_MAX_BYTES, DEFAULT_MAX_ITEMS, Item, Limits, Query, Statistics, Store};

/// Where the program listens unless told otherwise: 127.0.0.1:4320.
pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 4320);

/// How long [`Portal::shutdown`] waits for requests that are being answered.
const GRACE: Duration = Duration::from_secs(5);

/// The portal takes any key; this one is what it tells people to use.
const INSTRUMENTATION_KEY: &str = "00000000-0000-0000-0000-000000000000";

/// A portal that is running. Dropping it ends it, and cuts off requests that are being answered.
#[derive(Debug)]
#[must_use = "the portal ends when it is dropped"]
pub struct Portal {
    address: SocketAddr,
    connection_string: Arc<str>,
    store: Arc<Store>,
    stop: oneshot::Sender<()>,
    server: Server,
}

/// Ends the server's task with the portal that owns it.
#[derive(Debug)]
struct Server(JoinHandle<io::Result<()>>);

impl Portal {
    /// Prepares a portal with the default limits.
    #[must_use]
    pub fn builder() -> PortalBuilder {
        PortalBuilder::default()
    }

    /// The address that is listened on; the port is the one that was given out if 0 was asked for.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address to open in a browser. It has no slash at its end.
    #[must_use]
    pub fn url(&self) -> String {
        url(self.address)
    }

    /// The connection string that makes an application on this machine send its telemetry here.
    #[must_use]
    pub fn connection_string(&self) -> &str {
        &self.connection_string
    }

    /// All items that are held, in the order in which they arrived.
    #[must_use]
    pub fn items(&self) -> Vec<Arc<Item>> {
        let query = Query {
            limit: usize::MAX,
            ..Query::default()
        };
        let mut items = self.store.newest(&query);
        items.reverse();
        items
    }

    /// How many items were received, refused and dropped.
    #[must_use]
    pub fn statistics(&self) -> Statistics {
        self.store.statistics()
    }

    /// Stops listening, and waits up to 5 s until requests that were begun are answered.
    ///
    /// # Cancel safety
    /// When the future is dropped, open requests are cut off at once.
    pub async fn shutdown(self) {
        let Self {
            stop, mut server, ..
        } = self;
        // An error says that the server ended before.
        let _ = stop.send(());
        if tokio::time::timeout(GRACE, &mut server.0).await.is_err() {
            tracing::warn!("open requests were cut off");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a [`Portal`] is to hold and to allow.
#[derive(Debug, Clone)]
pub struct PortalBuilder {
    limits: Limits,
    hosts: Vec<String>,
}

impl Default for PortalBuilder {
    fn default() -> Self {
        Self {
            limits: Limits {
                items: DEFAULT_MAX_ITEMS,
                bytes: DEFAULT_MAX_BYTES,
            },
            hosts: Vec::new(),
        }
    }
}

impl PortalBuilder {
    /// Holds at most this many items. Defaults to 50,000.
    #[must_use]
    pub const fn max_items(mut self, items: usize) -> Self {
        self.limits.items = items;
        self
    }

    /// Holds items of at most about this many bytes of memory. Defaults to 256 MiB.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.limits.bytes = bytes;
        self
    }

    /// Lets pages and API be read under another name of this machine, such as a container's.
    ///
    /// `localhost`, names below it, loopback addresses and the address that is listened on are always allowed. The
    /// check keeps web pages of strangers from reading telemetry by DNS rebinding.
    #[must_use]
    pub fn allow_host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Listens on `address`, and serves from a task of the current Tokio runtime. Port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be listened on, as when another program has the port.
    ///
    /// # Panics
    /// Outside of a Tokio runtime with I/O and time.
    pub async fn bind(self, address: SocketAddr) -> Result<Portal, BindError> {
        let error = |source| BindError { address, source };
        let listener = TcpListener::bind(address).await.map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        let connection_string: Arc<str> = connection_string(address).into();
        let store = Arc::new(Store::new(self.limits));
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let context = Context {
            store: Arc::clone(&store),
            connection_string: Arc::clone(&connection_string),
            run: since_epoch.unwrap_or_default().as_nanos(),
        };
        let routes = router(context, AllowedHosts::new(address, &self.hosts));
        let (stop, stopped) = oneshot::channel();
        let server = axum::serve(listener, routes).with_graceful_shutdown(async {
            // A message, or the end of the portal that would send it.
            let _ = stopped.await;
        });
        Ok(Portal {
            address,
            connection_string,
            store,
            stop,
            server: Server(tokio::spawn(async { server.await })),
        })
    }
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

impl BindError {
    /// Whether another program has the port.
    #[must_use]
    pub fn is_address_in_use(&self) -> bool {
        self.source.kind() == io::ErrorKind::AddrInUse
    }
}

fn connection_string(address: SocketAddr) -> String {
    let endpoint = url(address);
    format!("InstrumentationKey={INSTRUMENTATION_KEY};IngestionEndpoint={endpoint}")
}

/// Nobody can connect to "every address", so that becomes loopback.
fn url(mut address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    format!("http://{address}")
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
            let text = connection_string(listening.parse().unwrap());
            let (_, found) = text.split_once(";IngestionEndpoint=").unwrap();
            assert_eq!(found, endpoint);
        }
    }
}
