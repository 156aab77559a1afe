use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream, ToSocketAddrs};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// The pause after a failed accept, for example for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// A bound address that counts and limits its connections.
#[derive(Debug)]
pub struct Listener {
    listener: TcpListener,
    connections: Connections,
}

/// The connection counter of a listener. Clones share it.
#[derive(Debug, Clone)]
pub struct Connections {
    open: Arc<AtomicUsize>,
    most: usize,
}

impl Connections {
    /// The number of open connections.
    #[must_use]
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// Counts one more connection, unless the limit is reached.
    fn enter(&self) -> Option<Guard> {
        let guard = Guard(self.open.clone());
        let before = self.open.fetch_add(1, Ordering::Relaxed);
        (before < self.most).then_some(guard)
    }
}

#[derive(Debug)]
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Listener {
    /// Binds an address, for at most `connections` concurrent connections.
    ///
    /// # Errors
    ///
    /// If the address cannot be bound, for example because another program uses it.
    pub async fn bind(address: impl ToSocketAddrs, connections: usize) -> io::Result<Self> {
        Ok(Self::new(TcpListener::bind(address).await?, connections))
    }

    /// Wraps a bound listener, for at most `connections` concurrent connections.
    #[must_use]
    pub fn new(listener: TcpListener, connections: usize) -> Self {
        let connections = Connections {
            open: Arc::default(),
            most: connections,
        };
        Self {
            listener,
            connections,
        }
    }

    /// The address, with its actual port.
    ///
    /// # Errors
    ///
    /// If the operating system does not report it.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// The counter of its connections.
    #[must_use]
    pub fn connections(&self) -> Connections {
        self.connections.clone()
    }

    /// Waits for the next connection. Errors of single connections are skipped.
    async fn next(&self) -> Connection {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    if let Some(guard) = self.connections.enter() {
                        // Small responses are sent at once.
                        let _ = stream.set_nodelay(true);
                        return Connection {
                            stream,
                            _guard: guard,
                        };
                    }
                    tracing::warn!(
                        most = self.connections.most,
                        "too many connections: one is closed"
                    );
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// The connections, as a stream for a gRPC server.
    pub(crate) fn into_stream(self) -> impl Stream<Item = io::Result<Connection>> + Send {
        futures_util::stream::unfold(self, |listener| async move {
            let connection = listener.next().await;
            Some((Ok(connection), listener))
        })
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let connection = self.next().await;
            if let Ok(peer) = connection.stream.peer_addr() {
                return (connection, peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection. It counts until it is dropped.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    _guard: Guard,
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.stream.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
