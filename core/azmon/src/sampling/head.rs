use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use azmon_instrument::exclude::records_no_spans;
use opentelemetry::trace::{Link, SpanContext, SpanId, SpanKind, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::instrument::direct::SpanRate;
use crate::item::TelemetryType;
use crate::item::sample_rate::SAMPLE_RATE;
use crate::sampling::item_count::ItemCount;
use crate::sampling::memory::{self, Memory};
use crate::sampling::overrides::Overrides;
use crate::sampling::parent::{Parent, trace_state};
use crate::sampling::rate::Rate;

/// Decides at the start of a span: by an override, else by the parent, else by the rate of new traces.
#[derive(Debug, Clone)]
pub(crate) struct HeadSampler {
    rate: Rate,
    overrides: Arc<Overrides>,
    follow_remote_parent: bool,
    record_unsampled: bool,
    record_while: Option<Arc<AtomicBool>>,
    /// `None` if every trace is kept at the same rate.
    memory: Option<Arc<Memory>>,
}

/// The decision about a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Decision {
    Kept(ItemCount),
    Unsampled,
    /// Never kept, even if it fails or is slow.
    Never,
}

impl HeadSampler {
    pub(super) fn new(rate: Rate, overrides: Overrides) -> Self {
        let is_uniform = matches!(rate, Rate::Fixed(_)) && overrides.is_empty();
        Self {
            rate,
            overrides: Arc::new(overrides),
            follow_remote_parent: false,
            record_unsampled: false,
            record_while: None,
            memory: (!is_uniform).then(|| Arc::new(Memory::new())),
        }
    }

    pub(super) fn follow_remote_parent(mut self, follow: bool) -> Self {
        self.follow_remote_parent = follow;
        self
    }

    pub(super) fn record_unsampled(mut self, record: bool) -> Self {
        self.record_unsampled = record;
        self
    }

    /// Records what is not kept also while this is true.
    pub(super) fn record_while(mut self, record: Option<Arc<AtomicBool>>) -> Self {
        self.record_while = record;
        self
    }

    /// Whether every span is kept.
    pub(crate) fn keeps_everything(&self) -> bool {
        self.rate.keeps_everything() && self.overrides.is_empty() && !self.follow_remote_parent
    }

    /// Whether the decision depends on the attributes of a span.
    pub(crate) fn needs_attributes(&self) -> bool {
        !self.overrides.is_empty()
    }

    /// Remembers the sampling decision of the span that starts now, if it differs from the decision of its trace.
    pub(crate) fn on_start(&self, span: &SpanContext) {
        if let Some(memory) = &self.memory
            && let Some(rate) = memory::take_unusual(span.trace_id())
        {
            memory.remember_span(span.trace_id(), span.span_id(), rate);
        }
    }

    /// The remembered decision about a span of this process.
    pub(crate) fn remembered(&self, span: &SpanContext) -> SpanRate {
        let memory = self.memory.as_deref();
        let known = memory.and_then(|memory| memory.of_span(span.trace_id(), span.span_id()));
        match known {
            Some(None) => SpanRate::Never,
            Some(Some(rate)) if span.is_sampled() => SpanRate::Percent(rate.percent()),
            None if span.is_sampled() => SpanRate::Percent(self.rate.presumed().percent()),
            Some(Some(_)) | None => SpanRate::Unknown,
        }
    }

    /// The item count of a sampled span of this process.
    pub(crate) fn rate_of(&self, span: &SpanContext) -> ItemCount {
        let memory = self.memory.as_deref();
        memory
            .and_then(|memory| memory.of_span(span.trace_id(), span.span_id()))
            .flatten()
            .unwrap_or_else(|| self.rate.presumed())
    }

    /// Whether [`decide_log`](Self::decide_log) may apply to any record.
    pub(crate) fn decides_logs(&self) -> bool {
        self.overrides.are_about_logs()
    }

    /// The decision of an override about a log record: its sampling rate in percent, or `Some(None)` if the record is
    /// dropped. `None` if no override applies.
    ///
    /// Records of a trace are kept or dropped together; records outside a trace are sampled at random.
    pub(crate) fn decide_log(
        &self,
        telemetry_type: TelemetryType,
        trace_id: TraceId,
        attributes: &[KeyValue],
    ) -> Option<Option<f64>> {
        let rate = self.overrides.rate_of_log(telemetry_type, attributes)?;
        let keeps = |rate: &ItemCount| match trace_id {
            TraceId::INVALID => fastrand::f64() * 100.0 < rate.percent(),
            trace_id => rate.keeps(trace_id),
        };
        Some(rate.filter(keeps).map(ItemCount::percent))
    }

    /// Returns the decision about a span that starts now, and its rate.
    pub(crate) fn sample(
        &self,
        parent: Parent,
        trace_id: TraceId,
        kind: &SpanKind,
        attributes: &[KeyValue],
    ) -> (SamplingDecision, SpanRate) {
        let decision = self.decide(parent, trace_id, kind, attributes);
        self.remember(trace_id, decision);
        let is_seen = |seen: &Arc<AtomicBool>| seen.load(Ordering::Relaxed);
        let records = self.record_unsampled || self.record_while.as_ref().is_some_and(is_seen);
        let unsampled = if records {
            SamplingDecision::RecordOnly
        } else {
            SamplingDecision::Drop
        };
        match decision {
            Decision::Kept(rate) => {
                let rate = SpanRate::Percent(rate.percent());
                (SamplingDecision::RecordAndSample, rate)
            }
            Decision::Unsampled => (unsampled, SpanRate::Unknown),
            Decision::Never => (unsampled, SpanRate::Never),
        }
    }

    fn decide(
        &self,
        parent: Parent,
        trace_id: TraceId,
        kind: &SpanKind,
        attributes: &[KeyValue],
    ) -> Decision {
        let of_trace = |rate: ItemCount| {
            if rate.keeps(trace_id) {
                Decision::Kept(rate)
            } else {
                Decision::Unsampled
            }
        };
        if let Some(rate) = self.overrides.rate_of(kind, attributes) {
            return rate.map_or(Decision::Never, of_trace);
        }
        match parent {
            Parent::Local { span_id, sampled } => self.as_parent(trace_id, span_id, sampled),
            Parent::Remote { sampled } if self.follow_remote_parent => {
                if sampled {
                    Decision::Kept(self.rate.of_remote_parent())
                } else {
                    Decision::Unsampled
                }
            }
            Parent::None | Parent::Remote { .. } => {
                let rate = self.rate.of_new_trace();
                rate.map_or(Decision::Unsampled, of_trace)
            }
        }
    }

    fn as_parent(&self, trace_id: TraceId, parent: SpanId, sampled: bool) -> Decision {
        let memory = self.memory.as_deref();
        match memory.and_then(|memory| memory.of_span(trace_id, parent)) {
            Some(None) => Decision::Never,
            Some(Some(rate)) if sampled => Decision::Kept(rate),
            None if sampled => Decision::Kept(self.rate.presumed()),
            Some(Some(_)) | None => Decision::Unsampled,
        }
    }

    /// Remembers the decision for the children of the span.
    fn remember(&self, trace_id: TraceId, decision: Decision) {
        let Some(memory) = &self.memory else { return };
        let own = match decision {
            Decision::Kept(rate) => match memory.of_trace(trace_id) {
                None => {
                    memory.remember_trace(trace_id, rate);
                    None
                }
                Some(known) => (known != rate).then_some(Some(rate)),
            },
            Decision::Unsampled => None,
            Decision::Never => Some(None),
        };
        memory::leave_unusual(own.map(|rate| (trace_id, rate)));
    }
}

impl ShouldSample for HeadSampler {
    fn should_sample(
        &self,
        parent_context: Option<&Context>,
        trace_id: TraceId,
        _name: &str,
        span_kind: &SpanKind,
        attributes: &[KeyValue],
        _links: &[Link],
    ) -> SamplingResult {
        // An excluded request is not even recorded for metrics.
        if parent_context.is_some_and(records_no_spans) {
            return SamplingResult {
                decision: SamplingDecision::Drop,
                attributes: Vec::new(),
                trace_state: trace_state(parent_context),
            };
        }
        let parent = parent_context.map_or(Parent::None, Parent::of);
        let (decision, rate) = self.sample(parent, trace_id, span_kind, attributes);
        SamplingResult {
            decision,
            attributes: as_attributes(rate),
            trace_state: trace_state(parent_context),
        }
    }
}

/// The attributes of the decision, for a tracer of the SDK. At 100 percent there are none, because absence means 100.
fn as_attributes(rate: SpanRate) -> Vec<KeyValue> {
    match rate {
        SpanRate::Percent(percent) if percent < 100.0 => {
            vec![KeyValue::new(SAMPLE_RATE, percent)]
        }
        SpanRate::Percent(_) | SpanRate::Unknown => Vec::new(),
        SpanRate::Never => vec![KeyValue::new(SAMPLE_RATE, 0.0)],
    }
}
