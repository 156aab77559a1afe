use std::borrow::Cow;

use azmon_instrument::Hook;
use azmon_instrument::http::{Exchange, Providers, Settings, Side};
use http::{Uri, response};
use opentelemetry::KeyValue;

use crate::future::OnHead;
use crate::{RequestHead, ResponseHead, instrumentation_scope};

type OnRequest = dyn Fn(&RequestHead<'_>, &mut Vec<KeyValue>) + Send + Sync;
type OnResponse = dyn Fn(&ResponseHead<'_>, &mut Vec<KeyValue>) + Send + Sync;
type SpanName = dyn Fn(&RequestHead<'_>, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync;

/// The settings of a client, shared by the clones of a service.
#[derive(Debug, Clone)]
pub(super) struct ClientSettings {
    pub(super) http: Settings,
    pub(super) providers: Providers,
    /// Scheme and host of requests whose URI has none.
    pub(super) base_url: Uri,
    pub(super) on_request: Hook<OnRequest>,
    pub(super) on_response: Hook<OnResponse>,
    pub(super) span_name: Hook<SpanName>,
}

impl ClientSettings {
    pub(super) fn new(http: Settings) -> Self {
        Self {
            http,
            providers: Providers::new(instrumentation_scope(), Side::Client),
            base_url: Uri::default(),
            on_request: Hook::default(),
            on_response: Hook::default(),
            span_name: Hook::default(),
        }
    }
}

impl OnHead for ClientSettings {
    fn on_head(&self, exchange: Option<&mut Exchange>, head: &mut response::Parts) {
        let Some(exchange) = exchange else { return };
        exchange.on_response(head.status, &head.headers);
        exchange.set_version(head.version);
        exchange.add_attributes(|attributes| {
            attributes.extend(self.http.response_headers.attributes(&head.headers));
            if let Some(hook) = self.on_response.get() {
                hook(&ResponseHead::of(head), attributes);
            }
        });
    }
}
