use std::borrow::Cow;
use std::error::Error;

use azmon_instrument::Hook;
use azmon_instrument::http::{Exchange, Providers, Settings, Side};
use opentelemetry::{InstrumentationScope, KeyValue};
use reqwest::{Request, Response};

type OnError = dyn Fn(&(dyn Error + 'static), &mut Vec<KeyValue>) + Send + Sync;
type OnRequest = dyn Fn(&Request, &mut Vec<KeyValue>) + Send + Sync;
type OnResponse = dyn Fn(&Response, &mut Vec<KeyValue>) + Send + Sync;
type SpanName = dyn Fn(&Request, Option<&str>) -> Option<Cow<'static, str>> + Send + Sync;

/// The settings of recorded calls.
#[derive(Debug, Clone)]
pub(crate) struct CallSettings {
    pub(crate) http: Settings,
    pub(crate) providers: Providers,
    pub(crate) ends_at_headers: bool,
    pub(crate) on_error: ErrorHook,
    pub(crate) on_request: Hook<OnRequest>,
    pub(crate) on_response: Hook<OnResponse>,
    pub(crate) span_name: Hook<SpanName>,
}

/// Adds attributes of an error.
#[derive(Debug, Clone, Default)]
pub(crate) struct ErrorHook(pub(crate) Hook<OnError>);

impl CallSettings {
    pub(crate) fn new(http: Settings) -> Self {
        Self {
            http,
            providers: Providers::new(scope(), Side::Client),
            ends_at_headers: false,
            on_error: ErrorHook::default(),
            on_request: Hook::default(),
            on_response: Hook::default(),
            span_name: Hook::default(),
        }
    }

    /// Whether attributes of responses are asked for.
    pub(crate) fn reads_responses(&self) -> bool {
        self.on_response.get().is_some() || !self.http.response_headers.is_empty()
    }
}

impl ErrorHook {
    /// Adds the attributes that the hook returns for an error.
    pub(crate) fn note(&self, exchange: &Exchange, error: &(dyn Error + 'static)) {
        if let Some(hook) = self.0.get() {
            exchange.add_attributes(|attributes| hook(error, attributes));
        }
    }
}

/// The instrumentation scope of this crate's spans and metrics.
fn scope() -> InstrumentationScope {
    InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
        .with_version(env!("CARGO_PKG_VERSION"))
        .with_schema_url("https://opentelemetry.io/schemas/1.40.0")
        .build()
}
