use std::error::Error;
use std::mem;

use azmon::instrument::Hook;
use azmon::instrument::http::{Ending, Exchange};
use http::Extensions;
use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt;
use reqwest::{Body, Response, ResponseBuilderExt, Url};

use crate::body::RecordedBody;
use crate::hooks::OnError;
use crate::settings::Settings;

/// Takes note of the response, and ends the exchange with it or with its body.
pub(crate) fn follow(settings: &Settings, mut exchange: Exchange, response: Response) -> Response {
    exchange.on_response(response.status(), response.headers());
    exchange.set_version(response.version());
    settings.note_response(&exchange, &response);
    if settings.ends_at_headers || exchange.ends_at_headers() {
        exchange.end(Ending::AtHeaders);
        response
    } else if response.content_length() == Some(0) {
        exchange.end(Ending::Complete);
        response
    } else if exchange.is_observed() {
        let on_error = settings.on_error.clone();
        with_body(response, |response| {
            Body::wrap(RecordedBody::new(response, exchange, on_error))
        })
    } else {
        response
    }
}

/// The same response with another body, made of the old one.
///
/// reqwest makes a response of an `http::Response` only, and takes its URL from the extensions.
fn with_body(mut response: Response, body: impl FnOnce(Response) -> Body) -> Response {
    let mut head = http::Response::new(());
    *head.status_mut() = response.status();
    *head.version_mut() = response.version();
    *head.headers_mut() = mem::take(response.headers_mut());
    let url = response.url().clone();
    *head.extensions_mut() = with_url(mem::take(response.extensions_mut()), url);
    head.map(|()| body(response)).into()
}

fn with_url(extensions: Extensions, url: Url) -> Extensions {
    let mut builder = http::Response::builder();
    if let Some(empty) = builder.extensions_mut() {
        *empty = extensions;
    }
    // Only a status or a header could make the builder fail, and it was given none.
    builder
        .url(url)
        .body(())
        .map(|response| response.into_parts().0.extensions)
        .unwrap_or_default()
}

impl Settings {
    fn note_response(&self, exchange: &Exchange, response: &Response) {
        if !exchange.is_recording() {
            return;
        }
        let headers = response.headers();
        let mut attributes: Vec<_> = self.response_headers.attributes(headers).collect();
        if let Some(hook) = self.on_response.get() {
            hook(response, &mut attributes);
        }
        set(exchange, attributes);
    }
}

/// Adds what the hook says about an error.
pub(crate) fn note_error(hook: &Hook<OnError>, exchange: &Exchange, error: &(dyn Error + 'static)) {
    if let Some(hook) = hook.get()
        && exchange.is_recording()
    {
        let mut attributes = Vec::new();
        hook(error, &mut attributes);
        set(exchange, attributes);
    }
}

fn set(exchange: &Exchange, attributes: Vec<KeyValue>) {
    if !attributes.is_empty() {
        exchange.context().span().set_attributes(attributes);
    }
}
