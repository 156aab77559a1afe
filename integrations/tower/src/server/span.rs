use std::borrow::Cow;
use std::cell::OnceCell;

use azmon_instrument::{NewRecord, OperationName, SpanContent, SpanRecord, StartedSpan};
use opentelemetry::KeyValue;

use super::name::Name;
use super::request::ServerRequest;
use super::settings::Settings;

/// What the span of a request says.
pub(super) struct ServerSpan<'a> {
    pub(super) settings: &'a Settings,
    pub(super) incoming: &'a ServerRequest<'a>,
    name: OnceCell<Name>,
}

impl<'a> ServerSpan<'a> {
    pub(super) fn new(settings: &'a Settings, incoming: &'a ServerRequest<'a>) -> Self {
        Self {
            settings,
            incoming,
            name: OnceCell::new(),
        }
    }

    /// The name, which is made when it is first asked for.
    pub(super) fn name(&self) -> &Name {
        self.name.get_or_init(|| self.incoming.name(self.settings))
    }

    /// The method by which a route that becomes known late names the span; `None` if its name is final.
    pub(super) fn late_method(&self) -> Option<&'static str> {
        let is_final = self.incoming.headers.is_grpc || self.settings.span_name.get().is_some();
        (!is_final).then(|| self.incoming.span_method())
    }

    /// The name of the operation; `None` if nobody will ask, or a better one may come with the response.
    pub(super) fn operation_of(&self, span: &StartedSpan) -> Option<OperationName> {
        if !span.recording.is_on() {
            return None;
        }
        let name = self.name();
        let is_known = name.route.is_some() || self.incoming.headers.is_grpc;
        is_known.then(|| OperationName(name.name.clone().into()))
    }
}

impl SpanContent for ServerSpan<'_> {
    fn name(&self) -> Cow<'static, str> {
        Self::name(self).name.clone()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        self.incoming.attributes(self.settings, self.name())
    }

    fn record(&self, new: NewRecord) -> Box<SpanRecord> {
        self.incoming.record(self.settings, self.name(), new)
    }
}
