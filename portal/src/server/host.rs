use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;

use crate::server::ApiError;

/// The host names under which the portal may be read.
///
/// Always allowed: `localhost`, its subdomains, loopback addresses, and the listening address. If the portal
/// listens on all addresses (`0.0.0.0`, `::`), any IP address is allowed: an attacker can rebind a name, but not
/// an address. Other names, such as a container's, need
/// [`PortalBuilder::allow_host`](crate::PortalBuilder::allow_host).
#[derive(Debug, Clone)]
pub(crate) struct AllowedHosts {
    listening: IpAddr,
    names: Arc<[String]>,
}

impl AllowedHosts {
    pub(crate) fn new(address: SocketAddr, names: &[String]) -> Self {
        Self {
            listening: address.ip(),
            names: names.into(),
        }
    }

    fn allow(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) => {
                address.to_canonical().is_loopback()
                    || self.listening.is_unspecified()
                    || address.to_canonical() == self.listening.to_canonical()
            }
            Err(_) => self.allow_name(host.strip_suffix('.').unwrap_or(host)),
        }
    }

    fn allow_name(&self, name: &str) -> bool {
        let top = name.rsplit('.').next().unwrap_or_default();
        top.eq_ignore_ascii_case("localhost")
            || self
                .names
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
    }
}

/// Rejects a request whose host is not allowed.
pub(crate) async fn check(
    State(allowed): State<AllowedHosts>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    if let Some(origin) = foreign_origin(&request, &allowed) {
        return Err(ApiError::forbidden(format!(
            "pages of {origin:?} may not read telemetry, nor change it"
        )));
    }
    match host_of(&request) {
        Some(host) if allowed.allow(host.host()) => Ok(next.run(request).await),
        Some(host) => Err(ApiError::forbidden(format!(
            "host {:?} is not allowed to read telemetry; start the portal with --allow-host {} if it is yours",
            host.host(),
            host.host()
        ))),
        None => Err(ApiError::bad_request(
            "the Host header is missing or invalid",
        )),
    }
}

/// The `Origin` of the request, if it is not the portal's own.
///
/// Another port of this machine is another origin: a page of the developed application may only send telemetry.
fn foreign_origin<'a>(request: &'a Request, allowed: &AllowedHosts) -> Option<&'a str> {
    let Ok(origin) = request.headers().get(ORIGIN)?.to_str() else {
        return Some("unreadable");
    };
    let (_, authority) = origin.split_once("://").unwrap_or(("", ""));
    let own = host_of(request);
    let is_own = authority.parse::<Authority>().is_ok_and(|authority| {
        allowed.allow(authority.host()) && own.is_some_and(|own| own.as_str() == authority.as_str())
    });
    (!is_own).then_some(origin)
}

/// An absolute request target takes precedence over the header (RFC 9112, 3.2.2).
fn host_of(request: &Request) -> Option<Authority> {
    let header = || request.headers().get(HOST)?.to_str().ok()?.parse().ok();
    request.uri().authority().cloned().or_else(header)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listening: &str) -> AllowedHosts {
        AllowedHosts::new(listening.parse().unwrap(), &["portal".to_owned()])
    }

    #[test]
    fn loopback_is_always_allowed() {
        for host in [
            "localhost",
            "LOCALHOST",
            "localhost.",
            "portal.localhost",
            "127.0.0.1",
            "127.8.9.10",
            "[::1]",
            "::ffff:127.0.0.1",
        ] {
            assert!(hosts("192.0.2.1:4320").allow(host), "{host}");
        }
    }

    #[test]
    fn a_foreign_name_is_not_allowed_even_if_it_looks_like_loopback() {
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "notlocalhost",
            "",
            ".",
        ] {
            for listening in ["127.0.0.1:4320", "0.0.0.0:4320"] {
                assert!(!hosts(listening).allow(host), "{host}");
            }
        }
    }

    #[test]
    fn another_address_is_allowed_only_if_it_was_listened_on() {
        assert!(hosts("192.0.2.1:4320").allow("192.0.2.1"));
        assert!(!hosts("192.0.2.1:4320").allow("192.0.2.2"));
        assert!(hosts("0.0.0.0:4320").allow("192.0.2.2"));
        assert!(hosts("[::]:4320").allow("[2001:db8::1]"));
    }

    #[test]
    fn a_name_is_allowed_if_it_was_named() {
        assert!(hosts("0.0.0.0:4320").allow("Portal"));
    }
}
