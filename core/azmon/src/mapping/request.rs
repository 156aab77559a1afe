//! Requests: spans of servers and consumers.

use opentelemetry::trace::SpanKind;

use crate::mapping::attributes::Attributes;
use crate::mapping::http;
use crate::mapping::keys::Key;
use crate::mapping::messaging;

/// The name of the request, and of the operation.
pub(super) fn name<'a>(
    attributes: &Attributes<'a>,
    span_name: &'a str,
    kind: &SpanKind,
) -> &'a str {
    attributes
        .take(Key::MicrosoftRequestName)
        .or_else(|| match kind {
            SpanKind::Consumer => None,
            _ => http::method_and_route(attributes),
        })
        .or_else(|| Some(span_name).filter(|name| !name.is_empty()))
        .or_else(|| http::method_and_path(attributes))
        .unwrap_or_default()
}

/// The full URL.
pub(super) fn url<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    attributes
        .take(Key::MicrosoftRequestUrl)
        .or_else(|| http::url(attributes, http::Side::Server))
}

/// The source of a message. An HTTP request has no source, even with messaging attributes.
pub(super) fn source<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    attributes.take(Key::MicrosoftRequestSource).or_else(|| {
        let is_http = attributes.peek_first(&http::METHOD).is_some();
        (!is_http).then(|| messaging::address(attributes)).flatten()
    })
}
