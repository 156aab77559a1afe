use std::borrow::Cow;
use std::cell::OnceCell;

use azmon_instrument::direct::CountedFacts;
use azmon_instrument::{
    NewRecord, OperationName, RecordedBy, SpanContent, SpanRecord, StartedSpan,
};
use opentelemetry::KeyValue;

use super::request::ServerRequest;
use super::route::Name;
use super::settings::ServerSettings;

/// The name and attributes of a server span.
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

    /// The name, made at the first call.
    pub(super) fn name(&self) -> &Name {
        self.name.get_or_init(|| self.incoming.name(self.settings))
    }

    /// The method for the span name if the route may come with the response; `None` if the name is final.
    pub(super) fn late_method(&self) -> Option<&'static str> {
        let is_final =
            self.incoming.answered_rpc().is_some() || self.settings.span_name.get().is_some();
        (!is_final).then(|| self.incoming.span_method())
    }

    /// The operation name; `None` if no telemetry needs it, or if the response may bring a better one.
    pub(super) fn operation_of(&self, span: &StartedSpan) -> Option<OperationName> {
        if matches!(span.recorded_by, RecordedBy::Nothing | RecordedBy::Counter) {
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

    fn counted(&self) -> Option<CountedFacts<'_>> {
        self.incoming.counted(self.settings)
    }
}
