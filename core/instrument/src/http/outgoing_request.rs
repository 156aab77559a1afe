use std::borrow::Cow;

use arrayvec::ArrayString;
use http::Method;
use opentelemetry::{KeyValue, StringValue};

use super::labels::Labels;
use crate::direct::{CallFacts, DeferredAttributes, NewRecord, SpanRecord};
use crate::exclude::Exclusions;
use crate::intern::RouteNames;
use crate::secrets::Redaction;
use crate::semconv::{OTHER_METHOD, attribute, default_port, span_method};

/// The names of client spans in this process.
static NAMES: RouteNames = RouteNames::new();

/// A client's request before it is sent.
#[derive(Debug, Clone, Copy)]
pub struct OutgoingRequest<'a> {
    /// The host as in the URL, with its port if it has one, without credentials.
    pub authority: &'a str,
    /// The method.
    pub method: &'a Method,
    /// The method's name, if it is a known method.
    pub known_method: Option<&'static str>,
    /// How often the request was sent before.
    pub resend_count: u32,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// The size of the body in bytes, if the request has a body of known size.
    pub size: Option<u64>,
    /// The template of the path, if it is known.
    pub template: Option<&'a StringValue>,
}

impl OutgoingRequest<'_> {
    /// The usual number of attributes of a client's span at its end. [`OutgoingRequest::attributes`] reserves room for
    /// it.
    pub const MAX_ATTRIBUTES: usize = 17;

    /// Whether its host is excluded.
    #[must_use]
    pub fn is_excluded_by(&self, exclusions: &Exclusions) -> bool {
        exclusions.excludes_host(self.authority, Some(default_port(self.scheme)))
    }

    /// The name of the span: `GET`, or `GET /users/{id}` with a template.
    #[must_use]
    pub fn name(&self) -> Cow<'static, str> {
        let method = span_method(self.known_method);
        match self.template {
            None => Cow::Borrowed(method),
            Some(template) => match NAMES.get(method, template.as_str()) {
                Some(known) => Cow::Borrowed(known.name),
                None => Cow::Owned(format!("{method} {template}")),
            },
        }
    }

    /// The attributes of metrics that are known before the response.
    #[must_use]
    pub(super) fn labels(&self) -> Labels<'_> {
        Labels {
            method: self.known_method.unwrap_or(OTHER_METHOD),
            scheme: self.scheme,
            authority: Some(Cow::Borrowed(self.authority)),
            route: self
                .template
                .map(|template| (attribute::URL_TEMPLATE, template.clone())),
        }
    }

    /// The attributes of the span that are known before the response. `url` is the full URL.
    #[must_use]
    pub fn attributes(&self, url: &str, redaction: &Redaction) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(Self::MAX_ATTRIBUTES);
        self.facts(url, redaction).write(&mut attributes);
        attributes
    }

    /// Whether a [record](Self::record) has room for the texts.
    #[must_use]
    pub fn is_short(&self, url: &str) -> bool {
        url.len() + self.authority.len() <= ROOM
    }

    /// Makes a record with copies of the inputs of the same attributes, to write them later. `url` must be
    /// [short](Self::is_short), or the record has none.
    #[must_use]
    #[inline]
    pub fn record(&self, url: &str, redaction: &Redaction, new: NewRecord) -> Box<SpanRecord> {
        let mut record = new.with_deferred(|| DeferredClientAttributes {
            method: self.method.clone(),
            known_method: self.known_method,
            resend_count: self.resend_count,
            scheme: self.scheme,
            size: self.size,
            template: self.template.cloned(),
            redaction: redaction.clone(),
            texts: ArrayString::new(),
            url_length: 0,
        });
        record.deferred_mut().copy(url, self.authority);
        record
    }
}

impl<'a> OutgoingRequest<'a> {
    fn facts(self, url: &'a str, redaction: &'a Redaction) -> CallFacts<'a> {
        CallFacts {
            method: self.known_method.unwrap_or(OTHER_METHOD),
            original_method: self.known_method.is_none().then(|| self.method.as_str()),
            full_url: url,
            redaction,
            scheme: self.scheme,
            authority: self.authority,
            template: self.template,
            size: self.size,
            resend_count: self.resend_count,
        }
    }
}

/// Inline buffer for the URL and the authority of most requests, in bytes.
const ROOM: usize = 192;

/// The inputs of the attributes of an outgoing request, copied in place.
#[derive(Debug)]
struct DeferredClientAttributes {
    method: Method,
    known_method: Option<&'static str>,
    resend_count: u32,
    scheme: &'static str,
    size: Option<u64>,
    template: Option<StringValue>,
    redaction: Redaction,
    /// The URL, followed by the authority.
    texts: ArrayString<ROOM>,
    url_length: usize,
}

impl DeferredClientAttributes {
    fn copy(&mut self, url: &str, authority: &str) {
        if self.texts.try_push_str(url).is_ok() {
            self.url_length = url.len();
        }
        let _ = self.texts.try_push_str(authority);
    }

    fn facts(&self) -> CallFacts<'_> {
        let (url, authority) = self.texts.split_at(self.url_length);
        let request = OutgoingRequest {
            authority,
            method: &self.method,
            known_method: self.known_method,
            resend_count: self.resend_count,
            scheme: self.scheme,
            size: self.size,
            template: self.template.as_ref(),
        };
        request.facts(url, &self.redaction)
    }
}

impl DeferredAttributes for DeferredClientAttributes {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        attributes.reserve_exact(OutgoingRequest::MAX_ATTRIBUTES);
        self.facts().write(attributes);
    }

    fn write_dimensions(&self, attributes: &mut Vec<KeyValue>) {
        attributes.reserve(8); // and for the attributes of the response
        self.facts().write_dimensions(attributes);
    }

    fn call(&self) -> Option<CallFacts<'_>> {
        Some(self.facts())
    }

    fn size(&self) -> usize {
        0
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::Value;

    use super::*;
    use crate::semconv::known_method;

    fn request(method: &Method) -> OutgoingRequest<'_> {
        OutgoingRequest {
            authority: "[::1]",
            method,
            known_method: known_method(method),
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
    fn deferred_attributes_are_the_same() {
        let (purge, template) = (Method::from_bytes(b"PURGE").unwrap(), "/a/{b}".into());
        let plain = request(&Method::GET);
        let all = OutgoingRequest {
            method: &purge,
            known_method: None,
            resend_count: 3,
            size: Some(17),
            template: Some(&template),
            ..plain
        };
        let url = "https://[::1]/a/b?c=ü&sig=secret";
        let redaction = Redaction::default();
        for request in [plain, all] {
            assert!(request.is_short(url));
            let mut record = request.record(url, &redaction, NewRecord::empty(128));
            let deferred = &record.complete().attributes;
            assert_eq!(*deferred, request.attributes(url, &redaction));
            let redacted = "https://[::1]/a/b?c=ü&sig=REDACTED";
            assert_eq!(value(deferred, "url.full"), Some(redacted.into()));
        }
        assert!(!plain.is_short(&"x".repeat(500)));
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
