use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkError;

use crate::connection_string::ParseConnectionStringError;

/// Telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BuildError(#[from] pub(crate) BuildErrorKind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildErrorKind {
    #[error(
        "there is no connection string: set APPLICATIONINSIGHTS_CONNECTION_STRING to the one that the Azure \
         portal shows on the overview of an Application Insights resource, or to the one that the local \
         `azmon portal` prints when it starts; to run without telemetry, build with \
         `disabled_without_connection_string()`"
    )]
    NoConnectionString,
    #[error("invalid connection string: {0}")]
    ConnectionString(#[from] ParseConnectionStringError),
    #[error("the HTTP client could not be set up: {0}")]
    Transport(#[from] reqwest::Error),
    #[cfg(feature = "otlp")]
    #[error("the OTLP exporter could not be set up: {0}")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("the worker thread could not be started: {0}")]
    Worker(#[from] std::io::Error),
}

impl BuildError {
    /// Whether neither the code nor the environment has a connection string.
    #[must_use]
    pub fn is_no_connection_string(&self) -> bool {
        matches!(self.0, BuildErrorKind::NoConnectionString)
    }

    /// Whether the connection string cannot be read.
    #[must_use]
    pub fn is_invalid_connection_string(&self) -> bool {
        matches!(self.0, BuildErrorKind::ConnectionString(_))
    }
}

/// Why not everything was delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Undelivered {
    #[error("{0} items are held, to be sent again: the endpoint is out of reach")]
    Held(usize),
    #[error("{0} items were dropped: see the log for the reason")]
    Dropped(usize),
    #[error("not done within {0:?}")]
    Timeout(Duration),
    #[error("another destination: {0}")]
    Elsewhere(String),
    #[error("telemetry was shut down before")]
    AlreadyShutDown,
}

impl From<Undelivered> for OTelSdkError {
    fn from(error: Undelivered) -> Self {
        match error {
            Undelivered::Timeout(timeout) => Self::Timeout(timeout),
            Undelivered::AlreadyShutDown => Self::AlreadyShutdown,
            Undelivered::Held(_) | Undelivered::Dropped(_) | Undelivered::Elsewhere(_) => {
                Self::InternalFailure(error.to_string())
            }
        }
    }
}

/// Not everything was delivered by a flush or a shutdown.
///
/// After a flush nothing more is lost for it: what is [held](Self::is_held) or late is still sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct DeliveryError(#[from] Undelivered);

impl DeliveryError {
    /// Whether items wait to be sent again, because the endpoint is out of reach or busy.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.0, Undelivered::Held(_))
    }

    /// Whether items were dropped, because the service refused them, or because time was over.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        matches!(self.0, Undelivered::Dropped(_))
    }

    /// Whether it took longer than allowed.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.0, Undelivered::Timeout(_))
    }

    /// Whether all that azmon sends was delivered, but another destination, such as OTLP, failed.
    #[must_use]
    pub fn is_other_destination(&self) -> bool {
        matches!(self.0, Undelivered::Elsewhere(_))
    }

    /// Whether telemetry had been shut down before.
    #[must_use]
    pub fn is_already_shut_down(&self) -> bool {
        matches!(self.0, Undelivered::AlreadyShutDown)
    }
}
