use std::borrow::Cow;

use azmon_instrument::http::{
    Labels, OTHER_METHOD, attribute, default_port, grpc_method, known_method, protocol_version,
    span_method,
};
use azmon_instrument::{NewRecord, SpanRecord};
use http::HeaderValue;
use opentelemetry::{KeyValue, StringValue};

use super::client_address::peer_address;
use super::facts::{CopiedTexts, Facts, Texts, USUAL_ATTRIBUTES};
use super::forwarded::{self, Forwarded};
use super::headers::ServerHeaders;
use super::name::Name;
use super::settings::Settings;
use crate::RequestHead;
use crate::grpc::grpc_name;

/// A request as the conventions see it.
#[derive(Debug)]
pub(super) struct ServerRequest<'a> {
    pub(super) head: RequestHead<'a>,
    pub(super) headers: ServerHeaders<'a>,
    authority: &'a str,
    forwarded: Forwarded<'a>,
    method: Option<&'static str>,
    scheme: &'static str,
    user_agent: Option<&'a str>,
}

impl<'a> ServerRequest<'a> {
    pub(super) fn new(settings: &Settings, head: RequestHead<'a>) -> Self {
        let headers = ServerHeaders::of(head.headers());
        let forwarded = if settings.trusts_forwarded {
            Forwarded::of(&head)
        } else {
            Forwarded::default()
        };
        let authority = forwarded
            .host
            .or_else(|| head.uri().authority().map(http::uri::Authority::as_str))
            .or_else(|| text(headers.host?))
            .unwrap_or_default();
        let scheme = forwarded
            .scheme
            .or_else(|| head.uri().scheme_str().and_then(forwarded::scheme))
            .unwrap_or(settings.scheme);
        Self {
            head,
            authority,
            forwarded,
            method: known_method(head.method()),
            scheme,
            user_agent: headers.user_agent.and_then(text),
            headers,
        }
    }

    pub(super) fn is_excluded(&self, settings: &Settings) -> bool {
        let exclusions = &settings.exclusions;
        exclusions.excludes_caller(self.authority, default_port(self.scheme), self.user_agent)
    }

    pub(super) fn span_method(&self) -> &'static str {
        span_method(self.method)
    }

    pub(super) fn name(&self, settings: &Settings) -> Name {
        let mut name = match self.route(settings) {
            Some(route) => Name::of_route(self.span_method(), &route),
            None => Name::of_method(self.span_method()),
        };
        if self.headers.is_grpc
            && let Some(full_method) = grpc_method(self.head.uri().path())
        {
            name.name = grpc_name(full_method);
        }
        if let Some(hook) = settings.span_name.get()
            && let Some(own) = hook(&self.head, name.route.as_ref().map(StringValue::as_str))
        {
            name.name = own;
        }
        name
    }

    fn route(&self, settings: &Settings) -> Option<Cow<'a, str>> {
        match settings.route.get() {
            Some(hook) => hook(&self.head),
            None => matched_path(&self.head).map(Cow::Borrowed),
        }
    }

    pub(super) fn labels(&self, route: Option<StringValue>) -> Labels<'static> {
        Labels {
            method: self.method.unwrap_or(OTHER_METHOD),
            scheme: self.scheme,
            authority: None,
            route: route.map(|route| (attribute::HTTP_ROUTE, route)),
        }
    }

    pub(super) fn version(&self) -> Option<&'static str> {
        protocol_version(self.head.version())
    }

    /// The attributes.
    pub(super) fn attributes(&self, settings: &Settings, name: &Name) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(USUAL_ATTRIBUTES);
        let facts = self.facts(settings, name, self.texts());
        facts.write(&mut attributes);
        attributes.extend(settings.request_headers.attributes(self.head.headers()));
        if let Some(hook) = settings.on_request.get() {
            hook(&self.head, &mut attributes);
        }
        attributes
    }

    /// A record that has the attributes, or, if nobody sees or adds to them before, writes them later.
    pub(super) fn record(
        &self,
        settings: &Settings,
        name: &Name,
        new: NewRecord,
    ) -> Box<SpanRecord> {
        let is_changed =
            settings.on_request.get().is_some() || !settings.request_headers.is_empty();
        let texts = self.texts();
        if is_changed || !CopiedTexts::have_room_for(&texts) {
            return new.with(self.attributes(settings, name));
        }
        new.with_late(|| self.facts(settings, name, CopiedTexts::of(&texts)))
    }

    #[inline]
    fn facts<T>(&self, settings: &Settings, name: &Name, texts: T) -> Facts<T> {
        Facts {
            method: self.method.unwrap_or(OTHER_METHOD),
            scheme: self.scheme,
            route: name.route.clone(),
            client: self.forwarded.client,
            peer: peer_address(settings, &self.head),
            version: self.version(),
            size: self.headers.content_length,
            redaction: settings.redaction.clone(),
            texts,
        }
    }

    fn texts(&self) -> Texts<'_> {
        let uri = self.head.uri();
        let path = uri.path();
        let original = self.head.method().as_str();
        Texts {
            path,
            query: uri.query(),
            authority: self.authority,
            user_agent: self.user_agent,
            original_method: self.method.is_none().then_some(original),
            rpc_method: self
                .headers
                .is_grpc
                .then(|| grpc_method(path).unwrap_or_default()),
        }
    }
}

/// Any UTF-8, not just what `HeaderValue::to_str` takes, and found out faster.
fn text(value: &HeaderValue) -> Option<&str> {
    std::str::from_utf8(value.as_bytes()).ok()
}

#[cfg(feature = "axum")]
fn matched_path<'a>(head: &RequestHead<'a>) -> Option<&'a str> {
    head.extensions()
        .get::<axum::extract::MatchedPath>()
        .map(axum::extract::MatchedPath::as_str)
}

#[cfg(not(feature = "axum"))]
fn matched_path<'a>(_: &RequestHead<'a>) -> Option<&'a str> {
    None
}
