//! The span of a query: OpenTelemetry's, or a record that goes straight to azmon's pipeline.

use std::borrow::Cow;
use std::sync::Arc;

use azmon_instrument::direct::{Detached, DetachedSpan};
use azmon_instrument::{DeferredAttributes, NewSpan, SpanContent};
use opentelemetry::global::{BoxedSpan, BoxedTracer};
use opentelemetry::trace::{Span, SpanBuilder, SpanContext, SpanKind, Status, Tracer};
use opentelemetry::{Context, KeyValue};

use super::Failure;
use crate::attributes::{self, Attribute};
use crate::providers::Found;
use crate::state::State;
use crate::statements::Described;

/// A span that is recorded.
#[derive(Debug)]
pub(super) enum QuerySpan {
    /// Its attributes are written when it is sent, by the thread that sends it.
    Direct(DetachedSpan<Query>),
    Otel(BoxedSpan),
}

/// The rows that a query has answered and changed, as far as they were counted.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rows {
    pub(super) returned: Option<u64>,
    pub(super) affected: Option<u64>,
}

/// The facts from which the attributes of a query are written.
#[derive(Debug)]
pub(super) struct Query {
    described: Arc<Described>,
    is_dropped: bool,
    failure: Option<Failure>,
    rows: Rows,
}

impl QuerySpan {
    /// Starts the span of a query; `None` if it is not recorded.
    pub(super) fn start(
        found: &Found,
        state: &State,
        described: &Arc<Described>,
        context: &Context,
    ) -> Option<Self> {
        let content = Content { state, described };
        if let Some(direct) = &found.direct {
            let new = NewSpan {
                kind: SpanKind::Client,
                started_at: opentelemetry::time::now(),
                remote_parent: None,
                links: Vec::new(),
                content: &content,
            };
            match direct.start_detached(new, context) {
                Detached::Recorded(span) => {
                    let query = || Query::new(Arc::clone(described));
                    return Some(Self::Direct(span.with(query)));
                }
                Detached::Nothing => return None,
                Detached::Unsupported => {}
            }
        }
        let span = content.start(found.tracer.as_deref()?, context);
        span.is_recording().then_some(Self::Otel(span))
    }

    pub(super) fn context(&mut self) -> Option<SpanContext> {
        match self {
            Self::Direct(span) => Some(span.record_mut()?.data().span_context.clone()),
            Self::Otel(span) => Some(span.span_context().clone()),
        }
    }

    /// Notes that the query was dropped before its end.
    pub(super) fn drop_query(&mut self) {
        match self {
            Self::Direct(span) => {
                if let Some(record) = span.record_mut() {
                    record.deferred_mut().is_dropped = true;
                }
            }
            Self::Otel(span) => span.set_attribute(KeyValue::new(attributes::DROPPED, true)),
        }
    }

    /// Notes why the query has failed.
    #[cold]
    pub(super) fn fail(&mut self, failure: Failure, description: Cow<'static, str>) {
        let status = Status::error(description);
        match self {
            Self::Direct(span) => {
                if let Some(record) = span.record_mut() {
                    record.set_status(status);
                    record.deferred_mut().failure = Some(failure);
                }
            }
            Self::Otel(span) => {
                span.set_attributes(failure.attributes());
                span.set_status(status);
            }
        }
    }

    pub(super) fn end(self, rows: Rows) {
        match self {
            Self::Direct(mut span) => {
                if let Some(record) = span.record_mut() {
                    record.deferred_mut().rows = rows;
                }
                span.end(opentelemetry::time::now());
            }
            Self::Otel(mut span) => {
                span.set_attributes(rows.attributes());
                span.end();
            }
        }
    }
}

impl Rows {
    fn attributes(self) -> impl Iterator<Item = KeyValue> {
        let counted = [
            (attributes::RETURNED_ROWS, self.returned),
            (attributes::AFFECTED_ROWS, self.affected),
        ];
        let attribute = |(key, rows): (&'static str, Option<u64>)| {
            let rows = i64::try_from(rows?).unwrap_or(i64::MAX);
            Some(KeyValue::new(key, rows))
        };
        counted.into_iter().filter_map(attribute)
    }
}

impl Query {
    fn new(described: Arc<Described>) -> Self {
        Self {
            described,
            is_dropped: false,
            failure: None,
            rows: Rows::default(),
        }
    }
}

impl DeferredAttributes for Query {
    fn write(&self, attributes: &mut Vec<KeyValue>) {
        let known = &self.described.span_attributes;
        attributes.reserve(known.len() + LATER_ATTRIBUTES);
        attributes.extend(known.iter().map(Attribute::key_value));
        if self.is_dropped {
            attributes.push(KeyValue::new(crate::attributes::DROPPED, true));
        }
        attributes.extend(self.failure.iter().flat_map(Failure::attributes));
        attributes.extend(self.rows.attributes());
    }

    fn size(&self) -> usize {
        // All executions of a query share its description.
        0
    }
}

/// The attributes of a query's span at its start.
struct Content<'a> {
    state: &'a State,
    described: &'a Described,
}

impl Content<'_> {
    fn start(&self, tracer: &BoxedTracer, context: &Context) -> BoxedSpan {
        let builder = SpanBuilder {
            span_kind: Some(SpanKind::Client),
            name: self.name(),
            attributes: Some(self.attributes()),
            ..SpanBuilder::default()
        };
        tracer.build_with_context(builder, context)
    }
}

impl SpanContent for Content<'_> {
    fn name(&self) -> Cow<'static, str> {
        match (&*self.described.summary, self.described.name) {
            ("", _) => Cow::Borrowed(self.state.system),
            (_, Some(name)) => Cow::Borrowed(name),
            (summary, None) => Cow::Owned(summary.to_owned()),
        }
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let known = &self.described.span_attributes;
        let mut attributes = Vec::with_capacity(known.len() + LATER_ATTRIBUTES);
        attributes.extend(known.iter().map(Attribute::key_value));
        attributes
    }
}

/// Room for the attributes that a span gets before it ends.
const LATER_ATTRIBUTES: usize = 4;
