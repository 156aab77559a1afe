use std::borrow::Cow;

use azmon_instrument::http::{
    OutgoingCall, OutgoingRequest, Settings, attribute, content_length, grpc_method, grpc_name,
    is_grpc,
};
use azmon_instrument::{NewRecord, SpanContent, SpanRecord};
use http::header::HOST;
use http::{Extensions, Uri};
use opentelemetry::{KeyValue, StringValue};

use super::settings::ClientSettings;
use crate::RequestHead;

/// A client request, in the terms of the semantic conventions.
#[derive(Debug)]
pub(super) struct ClientRequest<'a> {
    settings: &'a ClientSettings,
    head: RequestHead<'a>,
    call: OutgoingRequest<'a>,
    is_grpc: bool,
}

impl<'a> ClientRequest<'a> {
    pub(super) fn new(settings: &'a ClientSettings, head: RequestHead<'a>) -> Self {
        let named = |uri: &'a Uri| uri.authority().map(http::uri::Authority::as_str);
        let authority = named(head.uri())
            .or_else(|| head.header(&HOST))
            .or_else(|| named(&settings.base_url))
            .unwrap_or_default();
        let scheme = head
            .uri()
            .scheme_str()
            .or_else(|| settings.base_url.scheme_str());
        let path = head.uri().path();
        let call = OutgoingRequest {
            authority,
            method: head.method(),
            known_method: settings.http.known_methods.get(head.method()),
            resend_count: 0,
            scheme: if scheme == Some("https") {
                "https"
            } else {
                "http"
            },
            size: content_length(head.headers()),
            template: settings.http.template(head.extensions(), path),
        };
        Self {
            settings,
            head,
            call,
            is_grpc: is_grpc(head.headers()),
        }
    }

    fn url(&self) -> String {
        let uri = self.head.uri();
        let OutgoingRequest {
            scheme, authority, ..
        } = self.call;
        if uri.authority().is_some() || authority.is_empty() {
            uri.to_string()
        } else {
            [scheme, "://", authority, &uri.to_string()].concat()
        }
    }

    fn grpc_method(&self) -> Option<&'a str> {
        grpc_method(self.head.uri().path()).filter(|_| self.is_grpc)
    }
}

impl OutgoingCall for ClientRequest<'_> {
    fn request(&self) -> OutgoingRequest<'_> {
        self.call
    }

    fn extensions(&self) -> &Extensions {
        self.head.extensions()
    }

    fn is_excluded_by(&self, settings: &Settings) -> bool {
        settings.excludes(self.head.extensions(), || Some(self.head))
    }

    fn set_resend_count(&mut self, count: u32) {
        self.call.resend_count = count;
    }
}

/// The name, kind and attributes of the span.
impl SpanContent for ClientRequest<'_> {
    fn name(&self) -> Cow<'static, str> {
        let template = self.call.template.map(StringValue::as_str);
        if let Some(hook) = self.settings.span_name.get()
            && let Some(own) = hook(&self.head, template)
        {
            return own;
        }
        self.grpc_method()
            .map_or_else(|| self.call.name(), grpc_name)
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let settings = self.settings;
        let mut attributes = self.call.attributes(&self.url(), &settings.http.redaction);
        if self.is_grpc {
            attribute::push(&mut attributes, attribute::RPC_SYSTEM_NAME, "grpc");
        }
        if let Some(full_method) = self.grpc_method() {
            let name = grpc_name(full_method);
            attribute::push(&mut attributes, attribute::RPC_METHOD, name);
        }
        let headers = &settings.http.request_headers;
        attributes.extend(headers.attributes(self.head.headers()));
        if let Some(hook) = settings.on_request.get() {
            hook(&self.head, &mut attributes);
        }
        attributes
    }

    fn record(&self, new: NewRecord) -> Box<SpanRecord> {
        let settings = self.settings;
        let is_changed =
            settings.on_request.get().is_some() || !settings.http.request_headers.is_empty();
        let url = self.url();
        if is_changed || self.is_grpc || !self.call.is_short(&url) {
            return new.with(self.attributes());
        }
        self.call.record(&url, &settings.http.redaction, new)
    }
}
