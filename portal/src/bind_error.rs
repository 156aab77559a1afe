use std::io;
use std::net::SocketAddr;

use crate::server::CertificateError;
use crate::store::OpenError;

/// The reason why a portal cannot start.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BindError(pub(crate) Reason);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Reason {
    #[error("cannot listen on {address}: {source}")]
    Listen {
        address: SocketAddr,
        source: io::Error,
    },
    #[error(transparent)]
    Store(OpenError),
    #[error(transparent)]
    Certificate(CertificateError),
    #[error("{0}")]
    Token(String),
    #[error("{0}")]
    Checks(String),
}

impl BindError {
    pub(crate) const fn listen(address: SocketAddr, source: io::Error) -> Self {
        Self(Reason::Listen { address, source })
    }

    /// Whether another program uses the port.
    #[must_use]
    pub fn is_address_in_use(&self) -> bool {
        matches!(&self.0, Reason::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse)
    }

    /// Whether another portal uses the data directory.
    #[must_use]
    pub const fn is_data_in_use(&self) -> bool {
        matches!(&self.0, Reason::Store(OpenError::Place(place)) if place.is_in_use())
    }

    /// Whether the database is damaged.
    #[must_use]
    pub const fn is_data_damaged(&self) -> bool {
        matches!(&self.0, Reason::Store(OpenError::Damaged { .. }))
    }
}

impl From<OpenError> for BindError {
    fn from(error: OpenError) -> Self {
        Self(Reason::Store(error))
    }
}

impl From<CertificateError> for BindError {
    fn from(error: CertificateError) -> Self {
        Self(Reason::Certificate(error))
    }
}
