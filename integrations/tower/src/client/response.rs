use azmon::instrument::http::Exchange;
use http::response;
use opentelemetry::trace::TraceContextExt;

use super::settings::Settings;
use crate::ResponseHead;

/// Takes from the head of a response what the layer wants to know.
pub(crate) fn on_response(settings: &Settings, exchange: &mut Exchange, head: &response::Parts) {
    exchange.set_version(head.version);
    if !exchange.is_recording() {
        return;
    }
    let mut attributes: Vec<_> = settings
        .response_headers
        .attributes(&head.headers)
        .collect();
    if let Some(hook) = settings.on_response.get() {
        hook(&ResponseHead::of(head), &mut attributes);
    }
    if !attributes.is_empty() {
        exchange.context().span().set_attributes(attributes);
    }
}
