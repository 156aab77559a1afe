use std::sync::Arc;
use std::time::Instant;

use opentelemetry::trace::{SpanContext, TraceId};

use crate::instrument::SpanRecord;
use crate::instrument::direct::SpanRate;
use crate::item::{DropReason, Item, Producer, Signal, SpanView, sample_rate};
use crate::live_metrics::Live;
use crate::mapping::MappingOptions;
use crate::metrics::{CountedRequest, SpanMetrics};
use crate::sampling::{
    DecisionBuffer, DecisionLimits, EndedSpan, HeadSampler, Held, KeepRules, Parent, Released,
    TailDecision,
};
use crate::transmission::WorkerHandle;

/// The entry of all items: decides whether each is kept, at once or together with its trace.
#[derive(Debug)]
pub(crate) struct Intake {
    producer: Producer,
    handle: WorkerHandle,
    metrics: SpanMetrics,
    /// `None` with a sampler of the user.
    sampler: Option<HeadSampler>,
    /// `None` if the decision about a span is final at its start.
    tail: Option<Tail>,
    /// `None` where live metrics are off.
    live: Option<Arc<Live>>,
}

/// Sampling decisions that wait until the local root has ended.
#[derive(Debug)]
pub(crate) struct Tail {
    rules: KeepRules,
    options: MappingOptions,
    buffer: DecisionBuffer,
}

impl Tail {
    /// `options` define a failure.
    pub(crate) fn new(rules: KeepRules, limits: DecisionLimits, options: MappingOptions) -> Self {
        Self {
            buffer: DecisionBuffer::new(limits, rules.slower_than, Instant::now()),
            rules,
            options,
        }
    }
}

impl Intake {
    pub(crate) fn new(
        producer: Producer,
        handle: WorkerHandle,
        sampler: Option<HeadSampler>,
        tail: Option<Tail>,
    ) -> Self {
        Self {
            producer,
            handle,
            metrics: SpanMetrics::default(),
            sampler,
            tail,
            live: None,
        }
    }

    /// Passes unsampled items to live metrics.
    pub(crate) fn with_live(mut self, live: Option<Arc<Live>>) -> Self {
        self.live = live;
        self
    }

    /// Sets the counters of ended spans. The worker counts the spans that reach it, and the intake the others.
    pub(crate) fn with_metrics(mut self, metrics: SpanMetrics) -> Self {
        self.metrics = metrics;
        self
    }

    pub(crate) fn handle(&self) -> &WorkerHandle {
        &self.handle
    }

    /// Notes the start of a span, on the thread on which it was sampled.
    pub(crate) fn span_started(&self, span: &SpanContext, parent: Parent) {
        if let Some(sampler) = &self.sampler {
            sampler.on_start(span);
        }
        let Some(tail) = &self.tail else { return };
        let now = Instant::now();
        let is_root = parent.is_of_local_root();
        if is_root {
            self.release_all(tail.buffer.look_through_next(now));
        }
        tail.buffer.start(span.trace_id(), is_root, now);
    }

    /// Takes an ended span.
    pub(crate) fn span_ended(&self, mut span: Box<SpanRecord>) {
        let is_sampled = span.data().span_context.is_sampled();
        // The SDK drops the sampler's attribute if the span has too many others.
        if let Some(sampler) = &self.sampler
            && span.rate() == SpanRate::Unknown
            && !sample_rate::is_told(SpanView::of(&span))
        {
            span.set_rate(sampler.remembered(&span.data().span_context));
        }
        let Some(tail) = &self.tail else {
            if is_sampled {
                self.send(Item::Span(span));
            } else if let Err(Item::Span(span)) = self.show(Item::Span(span)) {
                self.metrics.count_last(span);
            }
            return;
        };
        self.metrics.count(&mut span);
        span.complete();
        let data = SpanView::of(&span);
        let may_be_kept = is_sampled || !sample_rate::is_never(data);
        let is_root = data.is_local_root();
        let trace_id = data.span_context.trace_id();
        let keep = is_root && may_be_kept && tail.rules.keep(data, &tail.options);
        let item = if may_be_kept {
            Some(Held::new(Item::Span(span), is_sampled))
        } else {
            // The span was counted, so live metrics may refuse it.
            let _ = self.show(Item::Span(span));
            None
        };
        let ended = EndedSpan {
            trace_id,
            is_root,
            keep,
            item,
        };
        self.release(tail.buffer.end(ended, Instant::now()));
    }

    /// Whether an unsampled span is only counted.
    pub(crate) fn only_counts(&self) -> bool {
        self.tail.is_none() && !self.is_watched()
    }

    /// Counts a request that is not sampled.
    pub(crate) fn count(&self, request: CountedRequest) {
        self.metrics.count_request(&request);
    }

    /// Passes an unsampled item to live metrics, or returns it.
    pub(crate) fn show(&self, item: impl Into<Item>) -> Result<(), Item> {
        match &self.live {
            Some(live) => live.offer(item.into()),
            None => Err(item.into()),
        }
    }

    /// Whether live metrics accept unsampled items.
    pub(crate) fn is_watched(&self) -> bool {
        self.live.as_ref().is_some_and(|live| live.is_watched())
    }

    /// Whether unsampled items may be kept together with their trace.
    pub(crate) fn keeps_whole_traces(&self) -> bool {
        self.tail.is_some()
    }

    /// Takes an item that belongs to a span of this trace and is kept together with it.
    ///
    /// `kept_by_rate` is the decision of the rate alone.
    pub(crate) fn offer(&self, trace_id: TraceId, item: impl Into<Item>, kept_by_rate: bool) {
        let item = Held::new(item.into(), kept_by_rate);
        match &self.tail {
            Some(tail) => self.release(tail.buffer.offer(trace_id, item, Instant::now())),
            None => self.send_by_rate(item),
        }
    }

    /// The sampling rate of a sampled span of this process, in percent; `None` if it is 100 or unknown.
    pub(crate) fn sample_rate(&self, span: &SpanContext) -> Option<f64> {
        let rate = self.sampler.as_ref()?.rate_of(span);
        Some(rate.percent()).filter(|percent| *percent < 100.0)
    }

    /// The sampler, if it has overrides for log records.
    pub(crate) fn log_overrides(&self) -> Option<&HeadSampler> {
        self.sampler
            .as_ref()
            .filter(|sampler| sampler.decides_logs())
    }

    /// Sends an item.
    pub(crate) fn send(&self, item: impl Into<Item>) {
        let item = item.into();
        let counters = self.handle.counters();
        if self.handle.is_closed(item.as_ref().signal()) {
            counters.count(DropReason::Shutdown, item.label(), 1);
        } else if let Err(refused) = self.producer.push(item) {
            counters.count(self.refusal(), refused.label(), 1);
            let mut refused = refused;
            if let Some(live) = &self.live {
                live.miss(&mut refused);
            }
            if let Item::Span(mut span) = refused {
                self.metrics.count(&mut span);
            }
        }
    }

    /// The reason why the queue refused an item: a worker that has ended looks like a full queue.
    fn refusal(&self) -> DropReason {
        if self.handle.is_alive() {
            DropReason::QueueFull
        } else {
            DropReason::Shutdown
        }
    }

    /// Whether a signal is shut down.
    pub(crate) fn is_closed(&self, signal: Signal) -> bool {
        self.handle.is_closed(signal)
    }

    /// Sends an item if the rate keeps it. An unsampled log record is counted as dropped; an unsampled span is not,
    /// because sampling is meant to drop it.
    fn send_by_rate(&self, held: Held) {
        if held.kept_by_rate {
            return self.send(held.item);
        }
        if let Item::Log(_) = held.item {
            let counters = self.handle.counters();
            counters.count(DropReason::Unsampled, held.item.label(), 1);
        }
        // Spans were counted at their end, so live metrics may refuse the item.
        let _ = self.show(held.item);
    }

    /// Releases items that have waited for their maximum time. Items of a running request still wait.
    pub(crate) fn flush(&self) {
        if let Some(tail) = &self.tail {
            self.release_all(tail.buffer.look_through_all(Instant::now()));
        }
    }

    /// Releases all waiting items, including those of running requests.
    pub(crate) fn close(&self) {
        if let Some(tail) = &self.tail {
            self.release_all(tail.buffer.close(Instant::now()));
        }
    }

    /// The number of traces that were decided before their local roots ended.
    pub(crate) fn decided_early(&self) -> u64 {
        self.tail
            .as_ref()
            .map_or(0, |tail| tail.buffer.decided_early())
    }

    fn release_all(&self, all: Vec<Released>) {
        for released in all {
            self.release(released);
        }
    }

    fn release(&self, released: Released) {
        for mut held in released.items {
            match released.verdict {
                TailDecision::Whole => {
                    held.item.count_once();
                    self.send(held.item);
                }
                TailDecision::ByRate => self.send_by_rate(held),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use opentelemetry::trace::{TraceContextExt, TraceFlags, TraceState};
    use opentelemetry::{Context, KeyValue};
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SpanData;

    use super::*;
    use crate::fixtures::span;
    use crate::item::{Consumer, QueueLimits, queue, record_of};
    use crate::mapping::Mapper;
    use crate::sampling::{RateChoice, Sampling, SamplingChoices};
    use crate::telemetry_processor::TelemetryProcessors;
    use crate::transmission::{NullTransport, Worker, WorkerOptions};

    const LIMITS: QueueLimits = QueueLimits {
        items: 100,
        bytes: 1 << 20,
        batch: 100,
    };

    /// An intake that keeps half of the traces and all failures, and the receiver of its items.
    fn intake() -> (Intake, Consumer) {
        let options = WorkerOptions {
            endpoint: String::new(),
            storage: crate::storage::StorageSettings::off(),
            max_memory: 1 << 20,
            transport: Arc::new(NullTransport),
            max_export_delay: Duration::ZERO,
            processors: TelemetryProcessors::default(),
        };
        let resource = Resource::builder_empty().build();
        let mapper = Mapper::new("key", &resource, MappingOptions::default());
        let (handle, _worker) = Worker::new(options, queue(LIMITS).1, Arc::new(mapper));
        let mut choices = SamplingChoices {
            rate: Some(RateChoice::Ratio(0.5)),
            ..SamplingChoices::default()
        };
        choices.keep.failures = true;
        let Sampling { head, keep, .. } = Sampling::from(choices);
        let tail = keep.map(|(rules, limits)| Tail::new(rules, limits, MappingOptions::default()));
        let (producer, consumer) = queue(LIMITS);
        (Intake::new(producer, handle, head, tail), consumer)
    }

    fn rate_of(span: &SpanRecord) -> Option<f64> {
        let mut attributes = span.data().attributes.iter();
        let told = attributes.find(|attribute| attribute.key.as_str() == sample_rate::SAMPLE_RATE);
        let told = told.and_then(|attribute| match attribute.value {
            opentelemetry::Value::F64(percent) => Some(percent),
            _ => None,
        });
        sample_rate::percent(span.rate(), told)
    }

    /// The names of the items and their sampling rates.
    fn arrived(consumer: &Consumer) -> Vec<(String, Option<f64>)> {
        let mut items = Vec::new();
        consumer.take(usize::MAX, &mut items);
        let shown = items.into_iter().map(|taken| match taken.item {
            Item::Span(span) => (span.data().name.clone().into_owned(), rate_of(&span)),
            other => panic!("{other:?}"),
        });
        shown.collect()
    }

    /// A span of a trace that the rate of one half does not keep.
    fn unsampled(name: &str) -> SpanData {
        let mut span = span(name);
        let flags = TraceFlags::default();
        let context = &span.span_context;
        let (trace_id, span_id) = (context.trace_id(), context.span_id());
        span.span_context =
            SpanContext::new(trace_id, span_id, flags, false, TraceState::default());
        span
    }

    #[test]
    fn logs_wait_with_their_trace_and_are_kept_with_it() {
        let (intake, consumer) = intake();
        let mut request = unsampled("request");
        request
            .attributes
            .push(KeyValue::new("http.response.status_code", 500));
        let trace_id = request.span_context.trace_id();
        intake.span_started(&request.span_context, Parent::None);
        let mut log = span("log");
        log.attributes
            .push(KeyValue::new("microsoft.sample_rate", 50.0));
        intake.offer(trace_id, log, false);
        assert_eq!(arrived(&consumer), []);
        intake.span_ended(record_of(request));
        let expected = [("log".to_owned(), None), ("request".to_owned(), None)];
        assert_eq!(arrived(&consumer), expected);
    }

    #[test]
    fn logs_of_a_trace_that_is_not_kept_are_as_the_rate_decided() {
        let (intake, consumer) = intake();
        let request = unsampled("request");
        let trace_id = request.span_context.trace_id();
        intake.span_started(&request.span_context, Parent::None);
        intake.offer(trace_id, span("error"), true);
        intake.offer(trace_id, span("debug"), false);
        intake.span_ended(record_of(request));
        intake.offer(trace_id, span("later error"), true);
        intake.offer(trace_id, span("later debug"), false);
        let expected = [("error".to_owned(), None), ("later error".to_owned(), None)];
        assert_eq!(arrived(&consumer), expected);
    }

    #[test]
    fn a_child_that_is_left_out_for_good_does_not_come_back_with_its_trace() {
        let (intake, consumer) = intake();
        let mut request = unsampled("request");
        request.status = opentelemetry::trace::Status::error("failed");
        let parent = request.span_context.clone();
        let context = Context::new().with_remote_span_context(parent.clone());
        intake.span_started(&parent, Parent::None);
        for rate in [0.0, 50.0] {
            let mut child = unsampled("child");
            child.parent_span_id = parent.span_id();
            child
                .attributes
                .push(KeyValue::new("microsoft.sample_rate", rate));
            intake.span_started(&child.span_context, Parent::of(&context));
            intake.span_ended(record_of(child));
        }
        intake.span_ended(record_of(request));
        let expected = [("child".to_owned(), None), ("request".to_owned(), None)];
        assert_eq!(arrived(&consumer), expected);
    }

    #[test]
    fn logs_can_know_the_rate_of_their_span() {
        let (intake, _) = intake();
        assert_eq!(intake.sample_rate(&span("x").span_context), Some(50.0));
    }
}
