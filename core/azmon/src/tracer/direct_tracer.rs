use std::sync::Arc;
use std::time::SystemTime;

use azmon_instrument::exclude::records_no_spans;
use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator, SamplingDecision};

use super::DirectProvider;
use super::counted_span::CountedSpan;
use super::parent_span::ParentSpan;
use super::span::{DirectSpan, cut};
use crate::instrument::direct::{
    self, CountedFacts, Detached, NewDetached, NewRecord, SpanRate, SpanStart,
};
use crate::instrument::propagation::RemoteParent;
use crate::instrument::{NewSpan, RecordedBy, StartSpan, StartedSpan};
use crate::metrics::CountedRequest;
use crate::pipeline::inherit;
use crate::sampling::Parent;

/// Starts spans without an instrumentation scope, because Application Insights has none.
#[derive(Debug)]
pub(crate) struct DirectTracer {
    provider: Arc<DirectProvider>,
}

/// The decision about a span that starts.
struct Decided {
    decision: SamplingDecision,
    parent_span: Option<ParentSpan>,
    trace_id: TraceId,
    parent: Parent,
    /// The sampling rate of the span.
    rate: SpanRate,
    /// The attributes of the instrumentation, if the sampler needed them.
    seen: Option<Vec<KeyValue>>,
}

impl DirectTracer {
    pub(crate) fn new(provider: Arc<DirectProvider>) -> Self {
        Self { provider }
    }

    fn span_context(&self, trace_id: TraceId, flags: TraceFlags, state: TraceState) -> SpanContext {
        let span_id = self.provider.ids.new_span_id();
        SpanContext::new(trace_id, span_id, flags, false, state)
    }

    fn decide(&self, new: &NewSpan<'_>, context: &Context) -> Decided {
        let provider = &self.provider;
        let parent_span = match &new.remote_parent {
            Some(remote) => Some(ParentSpan::from_remote(remote)),
            None => ParentSpan::in_context(context),
        };
        let trace_id = match &parent_span {
            Some(parent_span) => parent_span.trace_id,
            None => provider.ids.new_trace_id(),
        };
        let parent = parent_span
            .as_ref()
            .map_or(Parent::None, ParentSpan::as_parent);
        let seen = provider
            .needs_attributes()
            .then(|| new.content.attributes());
        let attributes = seen.as_deref().unwrap_or_default();
        let (decision, rate) = provider.sample(parent, trace_id, &new.kind, attributes);
        Decided {
            decision,
            parent_span,
            trace_id,
            parent,
            rate,
            seen,
        }
    }

    /// The context that an unrecorded span propagates.
    fn propagated(&self, kind: &SpanKind, context: &Context, decided: Decided) -> Context {
        match decided.parent_span {
            Some(parent_span) if parent_span.stands_for(kind) => parent_span.activate_in(context),
            parent_span => {
                let (flags, state) = unsampled(parent_span);
                let span = self.span_context(decided.trace_id, flags, state);
                context.with_remote_span_context(span)
            }
        }
    }

    fn record(&self, new: NewSpan<'_>, context: &Context, mut decided: Decided) -> DirectSpan {
        let seen = decided.seen.take();
        let content = new.content;
        let record = self.new_record(new, context, decided);
        let record = match seen {
            Some(seen) => record.with(seen),
            None => content.record(record),
        };
        DirectSpan::new(record, Arc::clone(&self.provider))
    }

    /// The facts of a request of which only a count is kept.
    fn counted<'a>(
        &self,
        new: &NewSpan<'a>,
        decision: &SamplingDecision,
    ) -> Option<CountedFacts<'a>> {
        let is_counted = *decision == SamplingDecision::RecordOnly
            && new.kind == SpanKind::Server
            && self.provider.only_counts();
        is_counted.then(|| new.content.counted()).flatten()
    }

    fn count(
        &self,
        facts: CountedFacts<'_>,
        started_at: SystemTime,
        decided: Decided,
    ) -> CountedSpan {
        let (flags, state) = unsampled(decided.parent_span);
        let span = self.span_context(decided.trace_id, flags, state);
        self.provider.started(&span, decided.parent);
        let request = CountedRequest::new(facts, started_at);
        CountedSpan::new(span, request, Arc::clone(&self.provider))
    }

    fn new_record(&self, mut new: NewSpan<'_>, context: &Context, decided: Decided) -> NewRecord {
        let (flags, parent_span_id, state) = match decided.parent_span {
            Some(parent_span) => (parent_span.flags, parent_span.span_id, parent_span.state),
            None => (TraceFlags::default(), SpanId::INVALID, TraceState::NONE),
        };
        let flags = flags.with_sampled(decided.decision == SamplingDecision::RecordAndSample);
        let span_context = self.span_context(decided.trace_id, flags, state);
        self.provider.started(&span_context, decided.parent);
        let mut attributes = Vec::new();
        inherit(context, &mut attributes);
        let dropped_links_count = self.cut_links(&mut new.links);
        NewRecord::new(SpanStart {
            span_context,
            parent_span_id,
            parent_span_is_remote: matches!(decided.parent, Parent::Remote { .. }),
            span_kind: new.kind,
            name: new.content.name(),
            start_time: new.started_at,
            attributes,
            links: new.links,
            dropped_links_count,
            rate: decided.rate,
            max_attributes: self.provider.limits().max_attributes_per_span,
        })
    }

    /// The tracer of telemetry that was built anew: an integration that kept the old one goes on with it.
    fn successor(&self) -> Option<Arc<dyn StartSpan>> {
        if !self.provider.is_closed() {
            return None;
        }
        direct::tracer().filter(|next| !std::ptr::addr_eq(Arc::as_ptr(next), self))
    }

    /// Limits the links, and returns how many were dropped.
    fn cut_links(&self, links: &mut Vec<Link>) -> u32 {
        let limits = self.provider.limits();
        let dropped = cut(links, limits.max_links_per_span);
        for link in links {
            link.dropped_attributes_count =
                cut(&mut link.attributes, limits.max_attributes_per_link);
        }
        dropped
    }
}

impl StartSpan for DirectTracer {
    fn start_span(&self, mut new: NewSpan<'_>, context: &Context) -> StartedSpan {
        if let Some(next) = self.successor() {
            return next.start_span(new, context);
        }
        if records_no_spans(context) || self.provider.is_closed() {
            return StartedSpan::nothing(new.parent_context(context));
        }
        let decided = self.decide(&new, context);
        let remote = new.remote_parent.take();
        let (context, recorded_by) = if decided.decision == SamplingDecision::Drop {
            let context = self.propagated(&new.kind, context, decided);
            (context, RecordedBy::Nothing)
        } else if let Some(facts) = self.counted(&new, &decided.decision) {
            let span = self.count(facts, new.started_at, decided);
            (context.with_span(span), RecordedBy::Counter)
        } else {
            let span = self.record(new, context, decided);
            (context.with_span(span), RecordedBy::Pipeline)
        };
        StartedSpan {
            context: remembering(remote, context),
            recorded_by,
        }
    }

    fn start_detached(&self, new: NewSpan<'_>, context: &Context) -> Detached {
        if let Some(next) = self.successor() {
            return next.start_detached(new, context);
        }
        if records_no_spans(context) || self.provider.is_closed() {
            return Detached::Nothing;
        }
        if self.provider.needs_attributes() {
            return Detached::Unsupported;
        }
        let decided = self.decide(&new, context);
        if decided.decision == SamplingDecision::Drop {
            return Detached::Nothing;
        }
        let record = self.new_record(new, context, decided);
        let to = Arc::clone(&self.provider);
        Detached::Recorded(NewDetached::new(record, to))
    }
}

/// The flags and the state of an unsampled span.
fn unsampled(parent_span: Option<ParentSpan>) -> (TraceFlags, TraceState) {
    match parent_span {
        Some(parent_span) => (parent_span.flags.with_sampled(false), parent_span.state),
        None => (TraceFlags::NOT_SAMPLED, TraceState::NONE),
    }
}

/// Keeps the received trace state and flags of a remote parent, so that they are propagated unchanged.
fn remembering(remote: Option<RemoteParent>, context: Context) -> Context {
    match remote {
        Some(remote) => remote.remember_in(context),
        None => context,
    }
}
