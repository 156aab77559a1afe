use std::mem;

use azmon_instrument::http::{Ending, Exchange, Rest, Scope, believed_size, content_length};
use http::Extensions;
use reqwest::{Body, Response, ResponseBuilderExt, Url, Version};

use crate::body::RecordedBody;
use crate::settings::CallSettings;

/// Notes the response, and ends the exchange with it or with its body. Enters the scope only for what may run the
/// application's code.
pub(crate) fn follow(settings: &CallSettings, scope: &mut Scope, response: Response) -> Response {
    let Some(exchange) = scope.exchange_mut() else {
        return response;
    };
    let size = response.content_length();
    note_head(exchange, &response, size.and_then(believed_size));
    let rest = Rest {
        is_end: size == Some(0),
        bytes: size,
    };
    let ending = match settings.ends_at_headers {
        true => Some(Ending::AtHeaders),
        false => exchange.ending_at_head(rest),
    };
    if settings.reads_responses() {
        note_response(settings, scope, &response);
    }
    if let Some(ending) = ending {
        scope.enter().end(ending);
        return response;
    }
    let on_error = settings.on_error.clone();
    let scope = scope.take();
    with_body(response, |response| {
        Body::wrap(RecordedBody::new(response, scope, on_error))
    })
}

/// Notes the status, version and size. gRPC requires HTTP/2.
fn note_head(exchange: &mut Exchange, response: &Response, size: Option<u64>) {
    let (status, version) = (response.status(), response.version());
    exchange.set_version(version);
    if version < Version::HTTP_2 {
        let size = size.or_else(|| content_length(response.headers()));
        exchange.on_plain_response(status, size);
    } else {
        exchange.on_response(status, response.headers());
    }
}

/// Rebuilds the response with a body made from its old body.
///
/// reqwest converts only an `http::Response`, and takes the URL from its extensions.
fn with_body(mut response: Response, body: impl FnOnce(Response) -> Body) -> Response {
    let url = response.url().clone();
    let (status, version) = (response.status(), response.version());
    let headers = mem::take(response.headers_mut());
    let extensions = with_url(mem::take(response.extensions_mut()), url);
    let mut new = http::Response::new(body(response));
    *new.status_mut() = status;
    *new.version_mut() = version;
    *new.headers_mut() = headers;
    *new.extensions_mut() = extensions;
    new.into()
}

fn with_url(extensions: Extensions, url: Url) -> Extensions {
    let mut builder = http::Response::builder();
    if let Some(empty) = builder.extensions_mut() {
        *empty = extensions;
    }
    // Only an invalid status or header makes the builder fail, and neither is set here.
    builder
        .url(url)
        .body(())
        .map(|response| response.into_parts().0.extensions)
        .unwrap_or_default()
}

/// Adds the attributes of the response that the settings ask for.
#[cold]
fn note_response(settings: &CallSettings, scope: &mut Scope, response: &Response) {
    let mut scope = scope.enter();
    let Some(exchange) = scope.exchange_mut() else {
        return;
    };
    exchange.add_attributes(|attributes| {
        attributes.extend(
            settings
                .http
                .response_headers
                .attributes(response.headers()),
        );
        if let Some(hook) = settings.on_response.get() {
            hook(response, attributes);
        }
    });
}
