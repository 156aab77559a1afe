use std::sync::Arc;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, SpanKind, TraceId};
use opentelemetry_sdk::trace::{RandomIdGenerator, SamplingDecision, SpanLimits};

use crate::instrument::SpanRecord;
use crate::instrument::direct::{SpanRate, TakeRecord};
use crate::item::Signal;
use crate::metrics::CountedRequest;
use crate::pipeline::Intake;
use crate::sampling::{HeadSampler, Parent};

/// The state that the direct spans of a process share: pipeline, sampler, limits and id generator.
#[derive(Debug)]
pub(crate) struct DirectProvider {
    intake: Arc<Intake>,
    /// `None` if everything is kept.
    sampler: Option<HeadSampler>,
    limits: SpanLimits,
    pub(super) ids: RandomIdGenerator,
}

impl DirectProvider {
    /// Makes a provider whose spans go to `intake`.
    pub(crate) fn new(intake: Arc<Intake>, sampler: HeadSampler, limits: SpanLimits) -> Self {
        Self {
            intake,
            sampler: Some(sampler).filter(|sampler| !sampler.keeps_everything()),
            limits,
            ids: RandomIdGenerator::default(),
        }
    }

    pub(super) fn limits(&self) -> &SpanLimits {
        &self.limits
    }

    /// Whether the pipeline is shut down.
    pub(super) fn is_closed(&self) -> bool {
        self.intake.is_closed(Signal::Traces)
    }

    /// Whether the sampler needs attributes.
    pub(super) fn needs_attributes(&self) -> bool {
        self.sampler
            .as_ref()
            .is_some_and(HeadSampler::needs_attributes)
    }

    /// Whether nothing but a count is kept of a span that is not sampled.
    pub(super) fn only_counts(&self) -> bool {
        self.intake.only_counts()
    }

    /// Returns the decision about a span, and its rate.
    pub(super) fn sample(
        &self,
        parent: Parent,
        trace_id: TraceId,
        kind: &SpanKind,
        attributes: &[KeyValue],
    ) -> (SamplingDecision, SpanRate) {
        match &self.sampler {
            Some(sampler) => sampler.sample(parent, trace_id, kind, attributes),
            None => (SamplingDecision::RecordAndSample, SpanRate::Percent(100.0)),
        }
    }

    pub(super) fn started(&self, span: &SpanContext, parent: Parent) {
        self.intake.span_started(span, parent);
    }

    pub(super) fn ended(&self, record: Box<SpanRecord>) {
        self.intake.span_ended(record);
    }

    pub(super) fn count(&self, request: CountedRequest) {
        self.intake.count(request);
    }
}

impl TakeRecord for DirectProvider {
    fn take(&self, record: Box<SpanRecord>) {
        self.ended(record);
    }
}
