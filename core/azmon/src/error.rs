//! Errors of the set-up of telemetry and of its delivery.

use std::time::Duration;

use opentelemetry_sdk::error::OTelSdkError;

use crate::connection_string::ParseConnectionStringError;
use crate::item::SignalReport;

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
    #[error("invalid APPLICATIONINSIGHTS_AUTHENTICATION_STRING: {0}")]
    AuthenticationString(&'static str),
    #[error("the HTTP client could not be set up: {0}")]
    Transport(String),
    #[cfg(feature = "rustls")]
    #[error("the certificates in {0} cannot be used: {1}")]
    Certificates(String, String),
    #[error(
        "the endpoint is https://, which needs azmon's feature `rustls`, or an HTTP client of your own"
    )]
    NoTls,
    #[cfg(feature = "otlp")]
    #[error("the OTLP exporter could not be set up: {0}")]
    Otlp(#[from] opentelemetry_otlp::ExporterBuildError),
    #[error("the worker thread could not be started: {0}")]
    Worker(std::io::Error),
}

impl BuildErrorKind {
    /// The message includes the innermost cause, because many programs print nothing else.
    pub(crate) fn transport(error: &reqwest::Error) -> Self {
        Self::Transport(innermost(error))
    }

    #[cfg(feature = "rustls")]
    pub(crate) fn certificates(
        path: &std::path::Path,
        error: &(dyn std::error::Error + 'static),
    ) -> Self {
        Self::Certificates(path.display().to_string(), innermost(error))
    }
}

impl BuildError {
    /// Whether neither the code nor the environment has a connection string.
    #[must_use]
    pub fn is_no_connection_string(&self) -> bool {
        matches!(self.0, BuildErrorKind::NoConnectionString)
    }

    /// Whether the connection string is invalid.
    #[must_use]
    pub fn is_invalid_connection_string(&self) -> bool {
        matches!(self.0, BuildErrorKind::ConnectionString(_))
    }
}

/// The reason why some items were not delivered.
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
    #[error(
        "this process was forked from the one that has azmon's thread: build telemetry after the fork"
    )]
    Forked,
}

impl From<Undelivered> for OTelSdkError {
    fn from(error: Undelivered) -> Self {
        match error {
            Undelivered::Timeout(timeout) => Self::Timeout(timeout),
            Undelivered::AlreadyShutDown => Self::AlreadyShutdown,
            Undelivered::Held(_)
            | Undelivered::Dropped(_)
            | Undelivered::Elsewhere(_)
            | Undelivered::Forked => Self::InternalFailure(error.to_string()),
        }
    }
}

/// The message of an error and of its innermost cause: many programs print nothing else.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let (message, cause) = (error.to_string(), cause.to_string());
    if message.contains(&cause) {
        message
    } else {
        format!("{message}: {cause}")
    }
}

/// The outcome of all telemetry, as a shutdown reports it.
///
/// For each signal, `sent`, `stored` and `dropped` add up to the number of items that ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Spans, and the events in them.
    pub traces: SignalReport,
    /// Log records, custom events and availability results.
    pub logs: SignalReport,
    /// Metrics.
    pub metrics: SignalReport,
}

/// A flush or a shutdown did not deliver all items.
///
/// A failed flush loses nothing by itself: [held](Self::is_held) and late items are still sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{undelivered}")]
pub struct DeliveryError {
    undelivered: Undelivered,
    report: Option<ShutdownReport>,
}

impl From<Undelivered> for DeliveryError {
    fn from(undelivered: Undelivered) -> Self {
        Self {
            undelivered,
            report: None,
        }
    }
}

impl DeliveryError {
    pub(crate) fn with_report(undelivered: Undelivered, report: ShutdownReport) -> Self {
        Self {
            undelivered,
            report: Some(report),
        }
    }

    /// The outcome of all telemetry, if a shutdown failed.
    #[must_use]
    pub fn report(&self) -> Option<&ShutdownReport> {
        self.report.as_ref()
    }

    /// Whether items wait in memory to be sent again, because the endpoint is unreachable or busy.
    #[must_use]
    pub fn is_held(&self) -> bool {
        matches!(self.undelivered, Undelivered::Held(_))
    }

    /// Whether items were dropped, because the service refused them or the timeout expired.
    #[must_use]
    pub fn is_dropped(&self) -> bool {
        matches!(self.undelivered, Undelivered::Dropped(_))
    }

    /// Whether the operation exceeded its timeout.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        matches!(self.undelivered, Undelivered::Timeout(_))
    }

    /// Whether azmon delivered all of its items, but another destination, such as OTLP, failed.
    #[must_use]
    pub fn is_other_destination(&self) -> bool {
        matches!(self.undelivered, Undelivered::Elsewhere(_))
    }

    /// Whether telemetry had been shut down before.
    #[must_use]
    pub fn is_already_shut_down(&self) -> bool {
        matches!(self.undelivered, Undelivered::AlreadyShutDown)
    }

    /// Whether this process was forked from the one that has azmon's thread.
    #[must_use]
    pub fn is_forked(&self) -> bool {
        matches!(self.undelivered, Undelivered::Forked)
    }
}
