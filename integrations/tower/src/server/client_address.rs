use std::net::SocketAddr;

use crate::RequestHead;
use crate::server::settings::Settings;

/// The other end of the connection: what the hook says, or what axum knows.
pub(super) fn peer_address(settings: &Settings, request: &RequestHead<'_>) -> Option<SocketAddr> {
    match settings.peer_address.get() {
        Some(hook) => hook(request),
        None => connect_info(request),
    }
}

#[cfg(feature = "axum")]
fn connect_info(request: &RequestHead<'_>) -> Option<SocketAddr> {
    use axum::extract::ConnectInfo;

    request
        .extensions()
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0)
}

#[cfg(not(feature = "axum"))]
fn connect_info(_: &RequestHead<'_>) -> Option<SocketAddr> {
    None
}
