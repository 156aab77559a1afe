use std::borrow::Cow;
use std::time::Instant;

use http::Method;
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue, StringValue};

use super::exchange::{Exchange, NewExchange};
use super::labels::Labels;
use super::late_call::LateCall;
use super::providers::Providers;
use super::redaction::Redaction;
use crate::direct::{NewSpan, SpanContent};
use crate::exclude::Exclusions;
use crate::intern::{RouteNames, recent_text};
use crate::semconv::{
    OTHER_METHOD, Side, attribute, default_port, known_method, server, span_method,
};

/// Shared by all clients of the process.
static NAMES: RouteNames = RouteNames::new();

/// What a client knows of a request before it sends it.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRequest<'a> {
    /// The host as the URL has it, with its port if it has one, without credentials.
    pub authority: &'a str,
    /// The method.
    pub method: &'a Method,
    /// How often the request was sent before.
    pub resend_count: u32,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The size of the body in bytes, if there is one and its size is known.
    pub size: Option<u64>,
    /// The template of the path, if the caller gave it.
    pub template: Option<&'a StringValue>,
}

impl OutgoingRequest<'_> {
    /// As many attributes as a span of the client mostly has at its end: so many fit into
    /// [`OutgoingRequest::attributes`] before it has to grow.
    pub const MAX_ATTRIBUTES: usize = 17;

    /// Whether its host is excluded.
    #[must_use]
    pub fn is_excluded_by(&self, exclusions: &Exclusions) -> bool {
        exclusions.excludes_host(self.authority, Some(default_port(self.scheme)))
    }

    /// The name of the span: `GET`, or with a template `GET /users/{id}`.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        let method = span_method(known_method(self.method));
        match self.template {
            None => Cow::Borrowed(method),
            Some(template) => match NAMES.get(method, template.as_str()) {
                Some(known) => Cow::Borrowed(known.name),
                None => Cow::Owned(format!("{method} {template}")),
            },
        }
    }

    /// Starts its exchange, in the context of its caller; `None` without a provider.
    #[must_use]
    #[inline]
    pub fn start(
        &self,
        providers: &Providers,
        content: &dyn SpanContent,
        caller: &Context,
        cancellation_is_error: bool,
    ) -> Option<Exchange> {
        let started = Instant::now();
        let resolved = providers.resolve(started);
        if resolved.is_nothing() {
            return None;
        }
        let started_at = opentelemetry::time::now();
        let new = NewSpan {
            kind: SpanKind::Client,
            started_at,
            remote_parent: None,
            links: Vec::new(),
            content,
        };
        let span = resolved.start_span(new, caller);
        let metrics = resolved.metrics;
        Some(Exchange::start(NewExchange {
            side: Side::Client,
            method: self.method,
            context: span.context,
            recording: span.recording,
            started,
            started_at,
            metrics: metrics.map(|metrics| (metrics, self.labels())),
            version: None,
            request_size: self.size,
            cancellation_is_error,
            has_route: self.template.is_some(),
            late_method: None,
        }))
    }

    /// The attributes of metrics, as far as they are known before the response.
    #[must_use]
    fn labels(&self) -> Labels<'_> {
        Labels {
            method: known_method(self.method).unwrap_or(OTHER_METHOD),
            scheme: self.scheme,
            authority: Some(Cow::Borrowed(self.authority)),
            route: self
                .template
                .map(|template| (attribute::URL_TEMPLATE, template.clone())),
        }
    }

    /// The attributes of the span, as far as they are known before the response. `url` is the whole one.
    #[must_use]
    pub fn attributes(&self, url: &str, redaction: &Redaction) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(Self::MAX_ATTRIBUTES);
        self.write(url, redaction, &mut attributes);
        attributes
    }

    /// Makes what writes the same attributes later; `None` if the URL is longer than most.
    #[must_use]
    pub fn late_attributes<'a>(
        &'a self,
        url: &'a str,
        redaction: &'a Redaction,
    ) -> Option<impl FnOnce() -> LateCall + 'a> {
        LateCall::has_room_for(self, url).then_some(|| LateCall::of(self, url, redaction))
    }

    pub(super) fn write(&self, url: &str, redaction: &Redaction, attributes: &mut Vec<KeyValue>) {
        let method = known_method(self.method);
        let name = method.unwrap_or(OTHER_METHOD);
        attribute::push(attributes, attribute::HTTP_REQUEST_METHOD, name);
        if method.is_none() {
            let original = self.method.as_str().to_owned();
            attribute::push(
                attributes,
                attribute::HTTP_REQUEST_METHOD_ORIGINAL,
                original,
            );
        }
        let url = redaction.url(url).into_owned();
        attribute::push(attributes, attribute::URL_FULL, url);
        self.write_server(attributes);
        if let Some(template) = self.template {
            attribute::push(attributes, attribute::URL_TEMPLATE, template.clone());
        }
        if let Some(size) = self.size.and_then(|size| i64::try_from(size).ok()) {
            attribute::push(attributes, attribute::HTTP_REQUEST_BODY_SIZE, size);
        }
        if self.resend_count > 0 {
            let count = i64::from(self.resend_count);
            attribute::push(attributes, attribute::HTTP_REQUEST_RESEND_COUNT, count);
        }
    }

    /// Those of the attributes that tell what is called, and that it is called by HTTP.
    pub(super) fn write_dimensions(&self, attributes: &mut Vec<KeyValue>) {
        let method = known_method(self.method).unwrap_or(OTHER_METHOD);
        attribute::push(attributes, attribute::HTTP_REQUEST_METHOD, method);
        self.write_server(attributes);
    }

    fn write_server(&self, attributes: &mut Vec<KeyValue>) {
        attribute::push(attributes, attribute::URL_SCHEME, self.scheme);
        if let Some((address, port)) = server(self.authority, self.scheme) {
            let address = recent_text(address);
            attribute::push(attributes, attribute::SERVER_ADDRESS, address);
            attribute::push(attributes, attribute::SERVER_PORT, i64::from(port));
        }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::Value;

    use super::*;
    use crate::direct::LateAttributes;

    fn request(method: &Method) -> OutgoingRequest<'_> {
        OutgoingRequest {
            authority: "[::1]",
            method,
            resend_count: 0,
            scheme: "https",
            size: None,
            template: None,
        }
    }

    fn value(attributes: &[KeyValue], key: &str) -> Option<Value> {
        let found = attributes
            .iter()
            .find(|attribute| attribute.key.as_str() == key)?;
        Some(found.value.clone())
    }

    #[test]
    fn an_unknown_method_is_other_and_kept_as_it_was() {
        let method = Method::from_bytes(b"PURGE").unwrap();
        let request = request(&method);
        let labels = request.labels();
        let attributes = request.attributes("https://[::1]/", &Redaction::none());
        assert_eq!(request.name(), "HTTP");
        assert_eq!(labels.method, "_OTHER");
        let original = value(&attributes, "http.request.method_original");
        assert_eq!(original, Some("PURGE".into()));
    }

    #[test]
    fn the_server_has_the_port_of_the_scheme_and_no_brackets() {
        let request = request(&Method::GET);
        let attributes = request.attributes("", &Redaction::none());
        assert_eq!(value(&attributes, "server.address"), Some("::1".into()));
        assert_eq!(value(&attributes, "server.port"), Some(443.into()));
    }

    #[test]
    fn a_template_names_the_span() {
        let template = StringValue::from("/users/{id}");
        let request = OutgoingRequest {
            template: Some(&template),
            ..request(&Method::PUT)
        };
        assert_eq!(request.name(), "PUT /users/{id}");
        let attributes = request.attributes("", &Redaction::none());
        let attribute = value(&attributes, "url.template");
        assert_eq!(attribute, Some("/users/{id}".into()));
    }

    #[test]
    fn late_attributes_are_the_same() {
        let (purge, template) = (Method::from_bytes(b"PURGE").unwrap(), "/a/{b}".into());
        let plain = request(&Method::GET);
        let all = OutgoingRequest {
            method: &purge,
            resend_count: 3,
            size: Some(17),
            template: Some(&template),
            ..plain
        };
        let url = "https://[::1]/a/b?c=ü&sig=secret";
        let redaction = Redaction::default();
        for request in [plain, all] {
            let mut late = Vec::new();
            let attributes = request.late_attributes(url, &redaction).unwrap();
            attributes().write(&mut late);
            assert_eq!(late, request.attributes(url, &redaction));
            let redacted = "https://[::1]/a/b?c=ü&sig=REDACTED";
            assert_eq!(value(&late, "url.full"), Some(redacted.into()));
        }
        assert!(
            plain
                .late_attributes(&"x".repeat(500), &redaction)
                .is_none()
        );
    }

    #[test]
    fn only_what_is_sent_again_is_counted_and_only_known_sizes_are_named() {
        let first = request(&Method::GET);
        let again = OutgoingRequest {
            resend_count: 2,
            size: Some(0),
            ..first
        };
        let count = |request: OutgoingRequest<'_>, key| {
            value(&request.attributes("", &Redaction::none()), key)
        };
        assert_eq!(count(first, "http.request.resend_count"), None);
        assert_eq!(count(first, "http.request.body.size"), None);
        assert_eq!(count(again, "http.request.resend_count"), Some(2.into()));
        assert_eq!(count(again, "http.request.body.size"), Some(0.into()));
    }
}
