use std::borrow::Cow;
use std::cell::OnceCell;

use azmon_instrument::{NewRecord, OperationName, SpanContent, SpanRecord, StartedSpan};
use opentelemetry::KeyValue;

use super::request::ServerRequest;
use super::route::Name;
use super::settings::ServerSettings;

/// What the span of a request says.
pub(super) struct ServerSpan<'a> {
    pub(super) settings: &'a ServerSettings,
    pub(super) incoming: &'a ServerRequest<'a>,
    name: OnceCell<Name>,
}

impl<'a> ServerSpan<'a> {
    pub(super) fn new(settings: &'a ServerSettings, incoming: &'a ServerRequest<'a>) -> Self {
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
        let is_final =
            self.incoming.answered_rpc().is_some() || self.settings.span_name.get().is_some();
        (!is_final).then(|| self.incoming.span_method())
    }

    /// The name of the operation; `None` if nothing will ask, or a better one may come with the response.
    pub(super) fn operation_of(&self, span: &StartedSpan) -> Option<OperationName> {
        if !span.recorded_by.is_some() {
            return None;
        }
        let name = self.name();
        let is_known = name.route.is_some() || self.incoming.answered_rpc().is_some();
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
