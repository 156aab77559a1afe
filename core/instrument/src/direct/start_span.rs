use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use opentelemetry::trace::Span as _;
use opentelemetry::trace::{Link, SpanBuilder, SpanContext, SpanKind, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};

use super::detached::Detached;
use super::record::{NewRecord, SpanRecord};
use super::request::CountedFacts;
use crate::propagation::RemoteParent;

/// The description of a span to start.
pub struct NewSpan<'a> {
    /// The kind.
    pub kind: SpanKind,
    /// The start.
    pub started_at: SystemTime,
    /// The caller's span. If present, it is the parent instead of the active span.
    pub remote_parent: Option<RemoteParent>,
    /// Linked spans.
    pub links: Vec<Link>,
    /// The name and the attributes.
    pub content: &'a dyn SpanContent,
}

/// The name and the attributes of a span at its start.
///
/// The tracer skips these methods if it knows beforehand that the span is not recorded. It asks for the attributes
/// once, by [`attributes`](Self::attributes) or by [`record`](Self::record).
pub trait SpanContent {
    /// The name of the span.
    fn name(&self) -> Cow<'static, str>;

    /// The start attributes.
    fn attributes(&self) -> Vec<KeyValue>;

    /// Makes a record with the attributes, or with the inputs that they are made of.
    fn record(&self, new: NewRecord) -> Box<SpanRecord> {
        new.with(self.attributes())
    }

    /// The facts by which a request is counted that is not sampled; `None` if only its attributes tell them.
    fn counted(&self) -> Option<CountedFacts<'_>> {
        None
    }
}

/// A started span and its context.
#[derive(Debug)]
pub struct StartedSpan {
    /// The parent's context with the new span, or with the span context that is propagated instead.
    pub context: Context,
    /// The backend that records the span.
    pub recorded_by: RecordedBy,
}

/// The backend that records a span, if any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordedBy {
    /// None.
    Nothing,
    /// A tracer of OpenTelemetry's API.
    Tracer,
    /// azmon's own pipeline, without a tracer of the SDK.
    Pipeline,
    /// azmon's own pipeline, which only counts the span and drops its name and most attributes.
    Counter,
}

impl RecordedBy {
    /// Whether a backend records the span.
    #[must_use]
    pub fn is_some(self) -> bool {
        self != Self::Nothing
    }

    /// Whether the span ends in azmon's own pipeline.
    #[must_use]
    pub fn is_direct(self) -> bool {
        matches!(self, Self::Pipeline | Self::Counter)
    }
}

/// A tracer of any type, as a trait object.
pub trait StartSpan: Send + Sync {
    /// Starts a span in `parent`. Its parent is the remote parent, or else the active span.
    fn start_span(&self, new: NewSpan<'_>, parent: &Context) -> StartedSpan;

    /// Starts a span that no context will hold.
    fn start_detached(&self, _new: NewSpan<'_>, _parent: &Context) -> Detached {
        Detached::Unsupported
    }
}

impl NewSpan<'_> {
    /// Returns the context whose active span is the parent.
    #[must_use]
    pub fn parent_context(&mut self, context: &Context) -> Context {
        match self.remote_parent.take() {
            Some(remote) => remote.attach_to(context),
            None => context.clone(),
        }
    }
}

impl StartedSpan {
    /// Makes an unrecorded span that propagates `context`.
    #[must_use]
    pub fn nothing(context: Context) -> Self {
        Self {
            context,
            recorded_by: RecordedBy::Nothing,
        }
    }
}

impl fmt::Debug for NewSpan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSpan")
            .field("kind", &self.kind)
            .field("name", &self.content.name())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for dyn StartSpan + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StartSpan")
    }
}

impl<T> StartSpan for T
where
    T: Tracer + Send + Sync,
    T::Span: Send + Sync + 'static,
{
    fn start_span(&self, mut new: NewSpan<'_>, parent: &Context) -> StartedSpan {
        let parent = &new.parent_context(parent);
        let is_server = new.kind == SpanKind::Server;
        let builder = SpanBuilder {
            span_kind: Some(new.kind),
            name: new.content.name(),
            start_time: Some(new.started_at),
            attributes: Some(new.content.attributes()),
            links: Some(new.links).filter(|links| !links.is_empty()),
            ..SpanBuilder::default()
        };
        let span = self.build_with_context(builder, parent);
        if span.is_recording() {
            return StartedSpan {
                context: parent.with_span(span),
                recorded_by: RecordedBy::Tracer,
            };
        }
        let started = span.span_context();
        let caller = parent.span().span_context().clone();
        StartedSpan::nothing(if !started.is_valid() {
            parent.clone()
        } else if is_server && adds_nothing(started, &caller) {
            parent.with_remote_span_context(local(caller))
        } else {
            parent.with_remote_span_context(started.clone())
        })
    }
}

/// The caller's span as a local one, so that its children follow the sampling decision of this process.
fn local(caller: SpanContext) -> SpanContext {
    let state = caller.trace_state().clone();
    SpanContext::new(
        caller.trace_id(),
        caller.span_id(),
        caller.trace_flags(),
        false,
        state,
    )
}

/// Whether the caller's span context can be propagated unchanged in place of a new unsampled span. A client's span
/// always keeps its own id, so that the called service knows its caller.
fn adds_nothing(span: &SpanContext, parent: &SpanContext) -> bool {
    parent.is_valid()
        && parent.trace_id() == span.trace_id()
        && parent.is_sampled() == span.is_sampled()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use opentelemetry::trace::{TraceFlags, TraceState, TracerProvider};
    use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};

    use super::*;

    struct Nothing;

    impl SpanContent for Nothing {
        fn name(&self) -> Cow<'static, str> {
            "x".into()
        }

        fn attributes(&self) -> Vec<KeyValue> {
            Vec::new()
        }
    }

    fn new(kind: SpanKind) -> NewSpan<'static> {
        NewSpan {
            kind,
            started_at: UNIX_EPOCH,
            remote_parent: None,
            links: Vec::new(),
            content: &Nothing,
        }
    }

    fn unsampled() -> SdkTracerProvider {
        SdkTracerProvider::builder()
            .with_sampler(Sampler::AlwaysOff)
            .build()
    }

    #[test]
    fn a_callers_span_stands_for_that_of_a_server_if_neither_is_sampled() {
        let provider = unsampled();
        let tracer = provider.tracer("test");
        let start = |kind, flags| {
            let caller = SpanContext::new(2.into(), 3.into(), flags, true, TraceState::NONE);
            let parent = Context::new().with_remote_span_context(caller);
            let started = tracer.start_span(new(kind), &parent).context;
            started.span().span_context().clone()
        };
        let same = start(SpanKind::Server, TraceFlags::NOT_SAMPLED);
        assert_eq!(same.span_id(), 3.into());
        let less = start(SpanKind::Server, TraceFlags::SAMPLED);
        assert_ne!(less.span_id(), 3.into());
        assert!(!less.is_sampled());
        let client = start(SpanKind::Client, TraceFlags::NOT_SAMPLED);
        assert_ne!(client.span_id(), 3.into());
        assert_eq!(client.trace_id(), 2.into());
    }

    #[test]
    fn an_unsampled_trace_that_begins_here_has_ids() {
        let provider = unsampled();
        let root = provider
            .tracer("test")
            .start_span(new(SpanKind::Internal), &Context::new());
        assert!(root.context.span().span_context().is_valid());
        assert!(!root.recorded_by.is_some());
    }
}
