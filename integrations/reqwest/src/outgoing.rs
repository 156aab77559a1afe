use azmon_instrument::http::{OutgoingRequest, UrlTemplate, content_length};
use http::Extensions;
use http_body::Body as _;
use reqwest::{Request, Url};
use url::Position;

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

/// Without the credentials.
fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

fn size(request: &Request) -> Option<u64> {
    let body = request.body()?;
    body.size_hint()
        .exact()
        .or_else(|| content_length(request.headers()))
}
