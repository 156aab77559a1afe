//! HTTPS for clients that require it, with a certificate that is created at the first start.

use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

const CERTIFICATE: &str = "azmon-portal.pem";
const KEY: &str = "azmon-portal.key";
/// The time limit of a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The maximum number of connections that wait after their handshake.
const WAITING: usize = 64;
const PAUSE: Duration = Duration::from_millis(100);

/// A certificate and its key, in a directory that only this user can read.
#[derive(Debug)]
pub(crate) struct Certificate {
    path: PathBuf,
    config: Arc<ServerConfig>,
}

/// The reason why no certificate is available.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CertificateError {
    #[error("cannot use {}: {source}", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("cannot make a certificate: {0}")]
    Made(#[from] rcgen::Error),
    #[error("{} holds no certificate and key that belong together: {reason}; delete it to have a new one made", directory.display())]
    Wrong { directory: PathBuf, reason: String },
}

impl Certificate {
    /// Reads the certificate in a directory, or creates one for this machine.
    pub(crate) fn of_directory(
        directory: &Path,
        names: &[String],
    ) -> Result<Self, CertificateError> {
        let (path, key) = (directory.join(CERTIFICATE), directory.join(KEY));
        if !path.exists() {
            make(directory, &path, &key, names)?;
        }
        let wrong = |reason: String| CertificateError::Wrong {
            directory: directory.to_owned(),
            reason,
        };
        let certificates: Result<Vec<_>, _> = CertificateDer::pem_file_iter(&path)
            .map_err(|error| wrong(error.to_string()))?
            .collect();
        let certificates = certificates.map_err(|error| wrong(error.to_string()))?;
        let key = PrivateKeyDer::from_pem_file(&key).map_err(|error| wrong(error.to_string()))?;
        let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| wrong(error.to_string()))?
            .with_no_client_auth()
            .with_single_cert(certificates, key)
            .map_err(|error| wrong(error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            path,
            config: Arc::new(config),
        })
    }

    /// The file that clients must trust.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

fn make(
    directory: &Path,
    path: &Path,
    key: &Path,
    names: &[String],
) -> Result<(), CertificateError> {
    let mut subjects = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    subjects.extend(names.iter().cloned());
    let made = rcgen::generate_simple_self_signed(subjects)?;
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| CertificateError::File { path, source }
    };
    fs::create_dir_all(directory).map_err(failed(directory))?;
    write_private(key, made.signing_key.serialize_pem().as_bytes()).map_err(failed(key))?;
    fs::write(path, made.cert.pem()).map_err(failed(path))
}

/// Writes a file that only this user can read.
fn write_private(path: &Path, contents: &[u8]) -> io::Result<()> {
    use std::io::Write;

    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)?.write_all(contents)
}

/// Accepts connections, with each TLS handshake in its own task, so that a slow client does not delay others.
#[derive(Debug)]
pub(crate) struct TlsListener {
    address: SocketAddr,
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
}

impl TlsListener {
    pub(crate) async fn bind(address: SocketAddr, certificate: &Certificate) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let acceptor = TlsAcceptor::from(Arc::clone(&certificate.config));
        let (sender, ready) = mpsc::channel(WAITING);
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = sender.closed() => return,
                };
                match accepted {
                    Ok((stream, peer)) => {
                        let (acceptor, sender) = (acceptor.clone(), sender.clone());
                        tokio::spawn(shake_hands(stream, peer, acceptor, sender));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        tokio::time::sleep(PAUSE).await;
                    }
                }
            }
        });
        Ok(Self { address, ready })
    }
}

async fn shake_hands(
    stream: TcpStream,
    peer: SocketAddr,
    acceptor: TlsAcceptor,
    sender: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
) {
    match tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => {
            // Sending fails only after the server has ended.
            let _ = sender.send((stream, peer)).await;
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed: the client does not trust the certificate, or does not use TLS")
        }
        Err(_) => tracing::debug!("a TLS handshake timed out"),
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(connection) => connection,
            // The accepting task ends only after this listener.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        Ok(self.address)
    }
}

/// The address for a URL. "All addresses" becomes an address that clients can connect to.
pub(crate) fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        let loopback = match address.ip() {
            IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::LOCALHOST),
            IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
        };
        address.set_ip(loopback);
    }
    address
}
