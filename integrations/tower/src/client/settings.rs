use azmon_instrument::exclude::Exclusions;
use azmon_instrument::http::{HeaderCapture, Redaction, Side};
use azmon_instrument::{Hook, Providers};
use http::Uri;

use crate::hooks;
use crate::instrumentation_scope;

/// How a client is recorded. Shared by the clones of a service.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Of requests that name no host.
    pub(crate) base_url: Uri,
    pub(crate) cancellation_is_error: bool,
    pub(crate) exclusions: Exclusions,
    pub(crate) on_request: Hook<hooks::OnRequest>,
    pub(crate) on_response: Hook<hooks::OnResponse>,
    pub(crate) providers: Providers,
    pub(crate) redaction: Redaction,
    pub(crate) request_headers: HeaderCapture,
    pub(crate) response_headers: HeaderCapture,
    pub(crate) span_name: Hook<hooks::SpanName>,
    /// The hosts that are sent no ids.
    pub(crate) strangers: Exclusions,
}

impl Settings {
    pub(crate) fn new(exclusions: Exclusions) -> Self {
        Self {
            base_url: Uri::default(),
            cancellation_is_error: false,
            exclusions,
            on_request: Hook::default(),
            on_response: Hook::default(),
            providers: Providers::new(instrumentation_scope(), Side::Client),
            redaction: Redaction::default(),
            request_headers: HeaderCapture::default(),
            response_headers: HeaderCapture::default(),
            span_name: Hook::default(),
            strangers: Exclusions::new(),
        }
    }
}
