//! The guards, headers, TLS and error format in front of ingestion, API and pages.
//!
//! Telemetry contains secrets, so everything that can *read* it (pages and API) is guarded. The `Host` header
//! must name this machine ([`host`]); this stops a web page that rebinds its DNS name to 127.0.0.1. Every
//! response has headers that forbid scripts, frames and loads from elsewhere ([`headers`]). A request with
//! another `Origin` is rejected. A portal that listens beyond loopback also requires a token ([`token`]).
//! Ingestion only writes, and accepts any `Host` and origin, as the browser SDK needs.

mod error;
pub(crate) mod headers;
pub(crate) mod host;
pub(crate) mod path;
mod tls;
pub(crate) mod token;

pub(crate) use self::error::ApiError;
pub(crate) use self::host::AllowedHosts;
pub(crate) use self::tls::{Certificate, CertificateError, TlsListener, reachable};
pub(crate) use self::token::Token;
