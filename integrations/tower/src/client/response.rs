use azmon_instrument::http::Exchange;
use http::response;

use super::settings::Settings;
use crate::ResponseHead;

/// Takes from the head of a response what the layer wants to know.
pub(crate) fn on_response(settings: &Settings, exchange: &mut Exchange, head: &response::Parts) {
    exchange.set_version(head.version);
    exchange.add_attributes(|attributes| {
        attributes.extend(settings.response_headers.attributes(&head.headers));
        if let Some(hook) = settings.on_response.get() {
            hook(&ResponseHead::of(head), attributes);
        }
    });
}
