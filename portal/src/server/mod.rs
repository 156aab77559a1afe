//! What stands before ingestion, API and pages: guards, headers, TLS, and the form of errors.
//!
//! Telemetry holds secrets, so what can *read* it (pages and API) is guarded: the `Host` header must name this
//! machine ([`host`]), which stops a web page that rebinds its DNS name to 127.0.0.1, and every answer carries headers
//! that forbid scripts, frames and loads from elsewhere ([`headers`]). A request that names another `Origin` is refused.
//! A portal that listens beyond loopback asks for a token as well ([`token`]). Ingestion only writes, and takes any
//! `Host` and origin, as the SDK for browsers needs.

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
