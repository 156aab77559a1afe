use std::borrow::Cow;

use azmon_instrument::http::{
    OutgoingCall, OutgoingRequest, RequestHead, Settings, content_length,
};
use azmon_instrument::{NewRecord, SpanContent, SpanRecord};
use http::{Extensions, Uri};
use http_body::Body as _;
use opentelemetry::{KeyValue, StringValue};
use reqwest::{Request, Url};
use url::Position;

use crate::settings::CallSettings;

/// A client request, in the terms of the semantic conventions.
pub(crate) struct Call<'a> {
    settings: &'a CallSettings,
    request: &'a Request,
    extensions: &'a Extensions,
    outgoing: OutgoingRequest<'a>,
}

impl<'a> Call<'a> {
    pub(crate) fn new(
        settings: &'a CallSettings,
        request: &'a Request,
        extensions: &'a Extensions,
    ) -> Self {
        let url = request.url();
        let outgoing = OutgoingRequest {
            authority: authority(url),
            method: request.method(),
            known_method: settings.http.known_methods.get(request.method()),
            resend_count: 0,
            scheme: if url.scheme() == "https" {
                "https"
            } else {
                "http"
            },
            size: size(request),
            template: settings.http.template(extensions, url.path()),
        };
        Self {
            settings,
            request,
            extensions,
            outgoing,
        }
    }
}

/// Host and port, without the credentials.
fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

fn size(request: &Request) -> Option<u64> {
    let body = request.body()?;
    body.size_hint()
        .exact()
        .or_else(|| content_length(request.headers()))
}

impl OutgoingCall for Call<'_> {
    fn request(&self) -> OutgoingRequest<'_> {
        self.outgoing
    }

    fn extensions(&self) -> &Extensions {
        self.extensions
    }

    fn is_excluded_by(&self, settings: &Settings) -> bool {
        let request = self.request;
        // Converted only if the application has a rule for templates.
        let uri = settings
            .exclude_if
            .get()
            .and_then(|_| Uri::try_from(request.url().as_str()).ok());
        settings.excludes(self.extensions, || {
            let (method, headers) = (request.method(), request.headers());
            let uri = uri.as_ref()?;
            Some(RequestHead::new(
                method,
                uri,
                request.version(),
                headers,
                self.extensions,
            ))
        })
    }

    fn set_resend_count(&mut self, count: u32) {
        self.outgoing.resend_count = count;
    }
}

/// The name, kind and attributes of the span.
impl SpanContent for Call<'_> {
    fn name(&self) -> Cow<'static, str> {
        let template = self.outgoing.template.map(StringValue::as_str);
        if let Some(hook) = self.settings.span_name.get()
            && let Some(own) = hook(self.request, template)
        {
            return own;
        }
        self.outgoing.name()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let Self {
            settings, request, ..
        } = *self;
        let url = request.url().as_str();
        let mut attributes = self.outgoing.attributes(url, &settings.http.redaction);
        attributes.extend(settings.http.request_headers.attributes(request.headers()));
        if let Some(hook) = settings.on_request.get() {
            hook(request, &mut attributes);
        }
        attributes
    }

    fn record(&self, new: NewRecord) -> Box<SpanRecord> {
        let Self {
            settings, request, ..
        } = *self;
        let is_changed =
            settings.on_request.get().is_some() || !settings.http.request_headers.is_empty();
        let url = request.url().as_str();
        if is_changed || !self.outgoing.is_short(url) {
            return new.with(self.attributes());
        }
        self.outgoing.record(url, &settings.http.redaction, new)
    }
}
