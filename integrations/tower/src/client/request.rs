use std::borrow::Cow;

use azmon::instrument::exclude::Exclusions;
use azmon::instrument::http::{
    Authority, Labels, OTHER_METHOD, ResendCount, UrlTemplate, attribute, content_length,
    grpc_method, is_grpc, known_method, span_method,
};
use azmon::instrument::{RouteNames, recent_text};
use http::Uri;
use http::header::HOST;
use opentelemetry::{KeyValue, StringValue};

use super::settings::Settings;
use crate::RequestHead;

/// Shared by all layers of the process.
static NAMES: RouteNames = RouteNames::new();

/// As many attributes as there can be before the response, and after it.
const MAX_ATTRIBUTES: usize = 11 + 6;

/// A request as the conventions see it.
#[derive(Debug)]
pub(super) struct ClientRequest<'a> {
    head: RequestHead<'a>,
    authority: &'a str,
    is_grpc: bool,
    method: Option<&'static str>,
    scheme: &'static str,
    template: Option<&'a StringValue>,
}

impl<'a> ClientRequest<'a> {
    pub(super) fn new(settings: &'a Settings, head: RequestHead<'a>) -> Self {
        let named = |uri: &'a Uri| uri.authority().map(http::uri::Authority::as_str);
        let authority = named(head.uri())
            .or_else(|| head.header(&HOST))
            .or_else(|| named(&settings.base_url))
            .unwrap_or_default();
        let scheme = head
            .uri()
            .scheme_str()
            .or_else(|| settings.base_url.scheme_str());
        Self {
            head,
            authority,
            is_grpc: is_grpc(head.headers()),
            method: known_method(head.method()),
            scheme: if scheme == Some("https") {
                "https"
            } else {
                "http"
            },
            template: head
                .extensions()
                .get()
                .map(|UrlTemplate(template)| template),
        }
    }

    pub(super) fn is_excluded_by(&self, exclusions: &Exclusions) -> bool {
        exclusions.excludes_host(self.authority, Some(self.default_port()))
    }

    pub(super) fn size(&self) -> Option<u64> {
        content_length(self.head.headers())
    }

    pub(super) fn name(&self, settings: &Settings) -> Cow<'static, str> {
        let template = self.template.map(StringValue::as_str);
        if let Some(hook) = settings.span_name.get()
            && let Some(own) = hook(&self.head, template)
        {
            return own;
        }
        if let Some(full_method) = self.grpc_method() {
            return interned("", full_method);
        }
        let method = span_method(self.method);
        template.map_or(Cow::Borrowed(method), |template| interned(method, template))
    }

    pub(super) fn labels(&self) -> Labels {
        Labels {
            method: self.method.unwrap_or(OTHER_METHOD),
            scheme: self.scheme,
            version: None,
            server: self.server(),
            route: self
                .template
                .map(|template| (attribute::URL_TEMPLATE, template.clone())),
        }
    }

    pub(super) fn attributes(&self, settings: &Settings, labels: &Labels) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(MAX_ATTRIBUTES);
        attribute::push(
            &mut attributes,
            attribute::HTTP_REQUEST_METHOD,
            labels.method,
        );
        if self.method.is_none() {
            let original = self.head.method().as_str().to_owned();
            attribute::push(
                &mut attributes,
                attribute::HTTP_REQUEST_METHOD_ORIGINAL,
                original,
            );
        }
        attribute::push(&mut attributes, attribute::URL_FULL, self.url(settings));
        attribute::push(&mut attributes, attribute::URL_SCHEME, self.scheme);
        if let Some((address, port)) = &labels.server {
            attribute::push(&mut attributes, attribute::SERVER_ADDRESS, address.clone());
            attribute::push(&mut attributes, attribute::SERVER_PORT, i64::from(*port));
        }
        if let Some(template) = self.template {
            attribute::push(&mut attributes, attribute::URL_TEMPLATE, template.clone());
        }
        if let Some(size) = self.size().and_then(|size| i64::try_from(size).ok()) {
            attribute::push(&mut attributes, attribute::HTTP_REQUEST_BODY_SIZE, size);
        }
        if let Some(count) = self.resend_count() {
            attribute::push(&mut attributes, attribute::HTTP_REQUEST_RESEND_COUNT, count);
        }
        if self.is_grpc {
            attribute::push(&mut attributes, attribute::RPC_SYSTEM_NAME, "grpc");
        }
        if let Some(full_method) = self.grpc_method() {
            attribute::push(
                &mut attributes,
                attribute::RPC_METHOD,
                interned("", full_method),
            );
        }
        attributes.extend(settings.request_headers.attributes(self.head.headers()));
        if let Some(hook) = settings.on_request.get() {
            hook(&self.head, &mut attributes);
        }
        attributes
    }

    fn server(&self) -> Option<(StringValue, u16)> {
        let Authority { host, port } = Authority::parse(self.authority);
        let port = port.unwrap_or_else(|| self.default_port());
        (!host.is_empty()).then(|| (recent_text(host), port))
    }

    fn url(&self, settings: &Settings) -> String {
        let uri = self.head.uri();
        let url = if uri.authority().is_some() || self.authority.is_empty() {
            uri.to_string()
        } else {
            [self.scheme, "://", self.authority, &uri.to_string()].concat()
        };
        match settings.redaction.url(&url) {
            Cow::Borrowed(_) => url,
            Cow::Owned(redacted) => redacted,
        }
    }

    /// Only what was sent before is counted.
    fn resend_count(&self) -> Option<i64> {
        let count = self.head.extensions().get::<ResendCount>()?.next();
        (count > 0).then_some(i64::from(count))
    }

    fn grpc_method(&self) -> Option<&'a str> {
        grpc_method(self.head.uri().path()).filter(|_| self.is_grpc)
    }

    fn default_port(&self) -> u16 {
        if self.scheme == "https" { 443 } else { 80 }
    }
}

fn interned(method: &'static str, template: &str) -> Cow<'static, str> {
    match NAMES.get(method, template) {
        Some(known) => Cow::Borrowed(known.name),
        None if method.is_empty() => Cow::Owned(template.to_owned()),
        None => Cow::Owned(format!("{method} {template}")),
    }
}
