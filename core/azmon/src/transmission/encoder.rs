//! Mapping, processing, limits, serialisation and compression of items.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::otel_error;

use crate::envelope::{Envelope, tags};
use crate::instrument::SpanRecord;
use crate::item::{
    DropReason, Item, ItemCounters, ItemLabel, ItemRef, Signal, SpanView, TelemetryType,
};
use crate::json::Clock;
use crate::live_metrics::Live;
use crate::mapping::{Arena, Mapper, PlainCall, PlainRequest};
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::Console;
use crate::transmission::batch::Batch;
use crate::transmission::line::{self, Written};
use crate::transmission::operation_names::OperationNames;

/// Maximum number of items of a batch; the service accepts 64,000.
const MAX_ITEMS: usize = 4_096;
/// Maximum size of a batch before compression, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// Encodes items into batches.
#[derive(Debug)]
pub(crate) struct Encoder {
    counters: Arc<ItemCounters>,
    processors: TelemetryProcessors,
    arena: Arena,
    clock: Clock,
    names: OperationNames,
    lines: Vec<u8>,
    /// The label of each line.
    labels: Vec<ItemLabel>,
    /// Labels of the lines that the current item became.
    made: Vec<ItemLabel>,
    /// Parts of the current item that are dropped, with the reason.
    dropped: Vec<(DropReason, ItemLabel)>,
    console: Option<Console>,
    live: Option<Arc<Live>>,
}

impl Encoder {
    pub(crate) fn new(counters: Arc<ItemCounters>, processors: TelemetryProcessors) -> Self {
        Self {
            counters,
            processors,
            arena: Arena::new(),
            clock: Clock::default(),
            names: OperationNames::default(),
            lines: Vec::new(),
            labels: Vec::new(),
            made: Vec::new(),
            dropped: Vec::new(),
            console: None,
            live: None,
        }
    }

    /// Prints all items that are encoded from now on.
    pub(super) fn show_on(&mut self, console: Console) {
        self.console = Some(console);
    }

    /// Lets live metrics see everything that is encoded from now on.
    pub(super) fn show_live(&mut self, live: Arc<Live>) {
        self.live = Some(live);
    }

    /// Lets live metrics see an item that is not sent. A defect in a mapping or processor costs this item.
    pub(super) fn observe(&mut self, mapper: &Mapper, item: &mut Item) {
        let observed = catch_unwind(AssertUnwindSafe(|| {
            if let Item::Span(span) = item {
                span.complete();
            }
            self.map_for_live(mapper, item.as_ref());
        }));
        if observed.is_err() {
            otel_error!(name: "Encoder.Panicked");
        }
        self.arena.reset();
    }

    fn map_for_live(&mut self, mapper: &Mapper, item: ItemRef<'_>) {
        let Self {
            processors,
            arena,
            live,
            ..
        } = self;
        let Some(live) = live else { return };
        let mut see = |mut envelope: Envelope<'_>| {
            if processors.process(&mut envelope).is_ok() {
                live.observe(&envelope);
            }
            arena.recycle(envelope);
        };
        match item {
            ItemRef::Span(span) => mapper.map(span, None, arena, see),
            ItemRef::Envelope(envelope) => see(envelope.clone()),
            ItemRef::Log(log) => see(mapper.map_log(log, None, None, arena)),
        }
    }

    /// Encodes an item whose attributes are all written.
    ///
    /// See [`add_taken`](Self::add_taken).
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn add(&mut self, mapper: &Mapper, item: ItemRef<'_>) -> Option<Batch> {
        self.add_by(item.label(), |encoder| encoder.map(mapper, item))
    }

    /// Encodes an item, whose attributes may still have to be written, and returns the batch if the item fills it.
    ///
    /// Requests should come first, so that the other items of their operations find the name. A panic of a mapping
    /// costs one item, not the worker thread.
    pub(crate) fn add_taken(&mut self, mapper: &Mapper, item: &mut Item) -> Option<Batch> {
        self.add_by(item.label(), |encoder| {
            if let Item::Span(span) = item {
                if encoder.add_plain(mapper, span) {
                    return;
                }
                span.complete();
            }
            encoder.map(mapper, item.as_ref());
        })
    }

    fn add_by(&mut self, taken: ItemLabel, add: impl FnOnce(&mut Self)) -> Option<Batch> {
        let (start, items) = (self.lines.len(), self.labels.len());
        if catch_unwind(AssertUnwindSafe(|| add(self))).is_err() {
            self.lines.truncate(start);
            self.labels.truncate(items);
            self.counters.relabel(taken, &[taken]);
            self.counters.drop_open(DropReason::Internal, [taken]);
            otel_error!(name: "Encoder.Panicked");
        }
        self.arena.reset();
        let is_full = self.labels.len() >= MAX_ITEMS || self.lines.len() >= MAX_BYTES;
        is_full.then(|| self.finish()).flatten()
    }

    /// Writes the line of a usual request or call, where no envelope of it is shown to anyone.
    fn add_plain(&mut self, mapper: &Mapper, span: &SpanRecord) -> bool {
        let is_watched = self.live.as_ref().is_some_and(|live| live.is_watched());
        if is_watched || !self.processors.is_empty() || self.console.is_some() {
            return false;
        }
        let added = self
            .add_request(mapper, span)
            .or_else(|| self.add_call(mapper, span));
        let Some((telemetry_type, is_success)) = added else {
            return false;
        };
        let taken = ItemLabel::new(Signal::Traces, telemetry_type);
        let label = ItemLabel {
            success: Some(is_success),
            ..taken
        };
        self.counters.relabel(taken, &[label]);
        self.labels.push(label);
        true
    }

    fn add_request(&mut self, mapper: &Mapper, span: &SpanRecord) -> Option<(TelemetryType, bool)> {
        let request = PlainRequest::of(span, mapper)?;
        request.write(mapper, &mut self.clock, &self.arena, &mut self.lines);
        if SpanView::of(span).is_local_root() {
            let (trace, rate) = (request.trace_id(), request.sample_rate());
            self.names.remember(trace, request.name(), rate);
        }
        Some((TelemetryType::Request, request.is_success()))
    }

    fn add_call(&mut self, mapper: &Mapper, span: &SpanRecord) -> Option<(TelemetryType, bool)> {
        let call = PlainCall::of(span, mapper, |trace| self.names.of(trace))?;
        call.write(mapper, &mut self.clock, &self.arena, &mut self.lines);
        Some((TelemetryType::Dependency, call.is_success()))
    }

    fn map(&mut self, mapper: &Mapper, item: ItemRef<'_>) {
        let signal = item.signal();
        let Self {
            counters,
            processors,
            arena,
            names,
            lines,
            labels,
            made,
            dropped,
            console,
            live,
            ..
        } = self;
        made.clear();
        dropped.clear();
        let mut write = |envelope: &mut Envelope<'_>| {
            let processed = processors.process(envelope);
            let label = ItemLabel::of(signal, envelope);
            made.push(label);
            if let Err(reason) = processed {
                return dropped.push((reason, label));
            }
            if let Some(live) = live {
                live.observe(envelope);
            }
            match line::write(envelope, lines) {
                Written::Whole => {}
                Written::Trimmed => counters.count_trimmed(),
                Written::Refused => return dropped.push((DropReason::TooLarge, label)),
            }
            labels.push(label);
            if let Some(console) = console {
                console.show(envelope);
            }
        };
        let mut add = |mut envelope: Envelope<'_>| {
            write(&mut envelope);
            arena.recycle(envelope);
        };
        match item {
            ItemRef::Span(span) if item.is_root() => {
                mapper.map(span, None, arena, |envelope| {
                    if let Some(name) = envelope.tags.get(tags::OPERATION_NAME) {
                        names.remember(span.span_context.trace_id(), name, envelope.sample_rate);
                    }
                    add(envelope);
                });
            }
            ItemRef::Span(span) => {
                let name = names.of(span.span_context.trace_id());
                mapper.map(span, name, arena, add);
            }
            ItemRef::Envelope(envelope) => add(envelope.clone()),
            ItemRef::Log(log) => {
                let (name, rate) = (names.of(log.trace_id()), names.sample_rate(log.trace_id()));
                add(mapper.map_log(log, name, rate, arena));
            }
        }
        counters.relabel(item.label(), made);
        for (reason, label) in dropped.drain(..) {
            counters.drop_open(reason, [label]);
        }
    }

    /// Returns a batch of the items that were encoded since the last one.
    pub(crate) fn finish(&mut self) -> Option<Batch> {
        if self.labels.is_empty() {
            return None;
        }
        let batch = Batch::compress(&self.labels, &self.lines);
        if batch.is_err() {
            let labels = self.labels.iter().copied();
            self.counters.drop_open(DropReason::Internal, labels);
        }
        self.labels.clear();
        self.lines.clear();
        batch.ok()
    }

    #[cfg(test)]
    pub(super) fn counters(&self) -> &ItemCounters {
        &self.counters
    }

    /// Takes the lines and the labels that no batch has yet.
    #[cfg(test)]
    pub(super) fn take_lines(&mut self) -> (String, Vec<ItemLabel>) {
        let lines = std::mem::take(&mut self.lines);
        let labels = std::mem::take(&mut self.labels);
        (String::from_utf8(lines).unwrap_or_default(), labels)
    }
}
