use azmon_instrument::exclude::Exclusions;
use azmon_instrument::http::{HeaderCapture, Redaction, Side};
use azmon_instrument::{Hook, Providers};
use opentelemetry::InstrumentationScope;

use crate::hooks::{OnError, OnRequest, OnResponse};

/// How calls are recorded.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) cancellation_is_error: bool,
    pub(crate) ends_at_headers: bool,
    pub(crate) exclusions: Exclusions,
    pub(crate) on_error: Hook<OnError>,
    pub(crate) on_request: Hook<OnRequest>,
    pub(crate) on_response: Hook<OnResponse>,
    pub(crate) providers: Providers,
    pub(crate) redaction: Redaction,
    pub(crate) request_headers: HeaderCapture,
    pub(crate) response_headers: HeaderCapture,
    /// The hosts that are sent no ids.
    pub(crate) strangers: Exclusions,
}

impl Settings {
    pub(crate) fn new(exclusions: Exclusions) -> Self {
        Self {
            cancellation_is_error: false,
            ends_at_headers: false,
            exclusions,
            on_error: Hook::default(),
            on_request: Hook::default(),
            on_response: Hook::default(),
            providers: Providers::new(scope(), Side::Client),
            redaction: Redaction::default(),
            request_headers: HeaderCapture::default(),
            response_headers: HeaderCapture::default(),
            strangers: Exclusions::new(),
        }
    }
}

/// What names this crate on what it records.
fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .with_schema_url("https://opentelemetry.io/schemas/1.40.0")
        .build()
}
