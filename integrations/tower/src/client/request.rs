use std::borrow::Cow;

use azmon_instrument::exclude::Exclusions;
use azmon_instrument::http::{
    Exchange, OutgoingRequest, ResendCount, UrlTemplate, attribute, content_length, grpc_method,
    is_grpc,
};
use azmon_instrument::{NewRecord, SpanContent, SpanRecord};
use http::Uri;
use http::header::HOST;
use opentelemetry::{Context, KeyValue, StringValue};

use super::settings::Settings;
use crate::RequestHead;
use crate::grpc::grpc_name;

/// A request as the conventions see it.
#[derive(Debug)]
pub(super) struct ClientRequest<'a> {
    settings: &'a Settings,
    head: RequestHead<'a>,
    call: OutgoingRequest<'a>,
    is_grpc: bool,
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
        let call = OutgoingRequest {
            authority,
            method: head.method(),
            resend_count: 0,
            scheme: match scheme {
                Some("https") => "https",
                _ => "http",
            },
            size: content_length(head.headers()),
            template: head
                .extensions()
                .get()
                .map(|UrlTemplate(template)| template),
        };
        Self {
            settings,
            head,
            call,
            is_grpc: is_grpc(head.headers()),
        }
    }

    /// Counts this attempt, whether or not its span is recorded.
    pub(super) fn count(&mut self) {
        if let Some(count) = self.head.extensions().get::<ResendCount>() {
            self.call.resend_count = count.next();
        }
    }

    pub(super) fn is_excluded_by(&self, exclusions: &Exclusions) -> bool {
        self.call.is_excluded_by(exclusions)
    }

    /// Starts the exchange, in the context of its caller; `None` without a provider.
    pub(super) fn start(&self, caller: &Context) -> Option<Exchange> {
        let Settings {
            providers,
            cancellation_is_error,
            ..
        } = self.settings;
        self.call
            .start(providers, self, caller, *cancellation_is_error)
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

/// What the span says.
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
        let mut attributes = self.call.attributes(&self.url(), &settings.redaction);
        if self.is_grpc {
            attribute::push(&mut attributes, attribute::RPC_SYSTEM_NAME, "grpc");
        }
        if let Some(full_method) = self.grpc_method() {
            attribute::push(
                &mut attributes,
                attribute::RPC_METHOD,
                grpc_name(full_method),
            );
        }
        attributes.extend(settings.request_headers.attributes(self.head.headers()));
        if let Some(hook) = settings.on_request.get() {
            hook(&self.head, &mut attributes);
        }
        attributes
    }

    fn record(&self, new: NewRecord) -> Box<SpanRecord> {
        let settings = self.settings;
        let is_changed =
            settings.on_request.get().is_some() || !settings.request_headers.is_empty();
        if is_changed || self.is_grpc {
            return new.with(self.attributes());
        }
        let url = self.url();
        match self.call.late_attributes(&url, &settings.redaction) {
            Some(late) => new.with_late(late),
            None => new.with(self.attributes()),
        }
    }
}
