use azmon_instrument::http::Exchange;
use azmon_instrument::propagation;
use http::{HeaderName, HeaderValue, response};

use super::name::Name;
use super::route::Route;
use super::settings::Settings;
use crate::ResponseHead;

/// Takes from the head of a response what the layer wants to know, and adds what it was asked to send.
pub(crate) fn on_response(
    settings: &Settings,
    exchange: &mut Exchange,
    head: &mut response::Parts,
) {
    if !exchange.has_route()
        && let Some(route) = late_route(head)
    {
        let Name { name, route } =
            Name::of_route(exchange.late_method().unwrap_or_default(), route);
        if let Some(route) = route {
            exchange.set_route(route, exchange.late_method().map(|_| name));
        }
    }
    exchange.add_attributes(|attributes| {
        attributes.extend(settings.response_headers.attributes(&head.headers));
        if let Some(hook) = settings.on_response.get() {
            hook(&ResponseHead::of(head), attributes);
        }
    });
    if settings.sends_trace_id() {
        send_trace_id(settings, exchange, head);
    }
}

/// The route that a router inside told by the extensions of its response.
fn late_route(head: &response::Parts) -> Option<&str> {
    match head.extensions.get() {
        Some(Route(route)) => Some(route.as_str()),
        None => matched_path(head),
    }
}

#[cfg(feature = "axum")]
fn matched_path(head: &response::Parts) -> Option<&str> {
    head.extensions
        .get::<axum::extract::MatchedPath>()
        .map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_path(_: &response::Parts) -> Option<&str> {
    None
}

fn send_trace_id(settings: &Settings, exchange: &Exchange, head: &mut response::Parts) {
    const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
    const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

    let Some(parent) = propagation::traceparent(exchange.context()) else {
        return;
    };
    if settings.sends_traceresponse {
        head.headers.insert(TRACERESPONSE, parent.clone());
    }
    if settings.sends_server_timing {
        let timing = [b"traceparent;desc=\"", parent.as_bytes(), b"\""].concat();
        if let Ok(timing) = HeaderValue::try_from(timing) {
            head.headers.append(SERVER_TIMING, timing);
        }
    }
}
