use std::borrow::Cow;

use azmon::instrument::http::{OutgoingRequest, Redaction, UrlTemplate, content_length};
use http::Extensions;
use http_body::Body as _;
use reqwest::{Request, Url};

/// The request as the conventions see it.
pub(crate) fn describe<'a>(
    request: &'a Request,
    extensions: &'a Extensions,
) -> OutgoingRequest<'a> {
    let url = request.url();
    OutgoingRequest {
        authority: authority(url),
        method: request.method(),
        resend_count: 0,
        scheme: if url.scheme() == "https" {
            "https"
        } else {
            "http"
        },
        size: size(request),
        template: extensions.get().map(|UrlTemplate(template)| template),
    }
}

/// The URL without its secrets. Most have none, which is told by their parts without searching the whole.
pub(crate) fn redacted<'a>(url: &'a Url, redaction: &Redaction) -> Cow<'a, str> {
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    let is_secret = |query| matches!(redaction.query(query), Cow::Owned(_));
    if has_credentials || url.query().is_some_and(is_secret) {
        redaction.url(url.as_str())
    } else {
        Cow::Borrowed(url.as_str())
    }
}

/// Without the credentials.
fn authority(url: &Url) -> &str {
    let authority = url.authority();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

fn size(request: &Request) -> Option<u64> {
    let body = request.body()?;
    body.size_hint()
        .exact()
        .or_else(|| content_length(request.headers()))
}
