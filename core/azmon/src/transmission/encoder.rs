use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::otel_error;

use crate::envelope::Envelope;
use crate::item::ItemRef;
use crate::item::{DropReason, ItemKind, Losses};
use crate::mapping::{Arena, Mapper};
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::Console;
use crate::transmission::batch::Batch;
use crate::transmission::item::{self, Written};
use crate::transmission::operation_names::OperationNames;

/// Most items of a batch; the service takes 64,000.
const MOST_ITEMS: usize = 4_096;
/// Most bytes of a batch before compression.
const MOST_BYTES: usize = 4 << 20;

/// Turns items into batches.
#[derive(Debug)]
pub(crate) struct Encoder {
    losses: Arc<Losses>,
    processors: TelemetryProcessors,
    arena: Arena,
    names: OperationNames,
    lines: Vec<u8>,
    /// What the lines are.
    kinds: Vec<ItemKind>,
    console: Option<Console>,
    /// The number of the last batch that was made; the first is 1.
    last: u64,
}

impl Encoder {
    pub(crate) fn new(losses: Arc<Losses>, processors: TelemetryProcessors) -> Self {
        Self {
            losses,
            processors,
            arena: Arena::new(),
            names: OperationNames::default(),
            lines: Vec::new(),
            kinds: Vec::new(),
            console: None,
            last: 0,
        }
    }

    /// Shows everything that is encoded from now on.
    pub(super) fn show_on(&mut self, console: Console) {
        self.console = Some(console);
    }

    /// Encodes `items` into as many batches as they need.
    ///
    /// Requests go first, so that the items of their operations know its name.
    pub(crate) fn encode<'a>(
        &mut self,
        mapper: &Mapper,
        items: impl Iterator<Item = ItemRef<'a>> + Clone,
        mut emit: impl FnMut(Batch),
    ) {
        let roots = items.clone().filter(|item| item.is_root());
        let others = items.filter(|item| !item.is_root());
        for item in roots.chain(others) {
            self.add(mapper, item);
            if self.kinds.len() >= MOST_ITEMS || self.lines.len() >= MOST_BYTES {
                self.finish().into_iter().for_each(&mut emit);
            }
        }
        self.finish().into_iter().for_each(emit);
    }

    /// The number of the last batch that was made; 0 before the first.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// A defect in a mapping must cost one item, not the thread that sends all of them.
    fn add(&mut self, mapper: &Mapper, item: ItemRef<'_>) {
        let (start, items) = (self.lines.len(), self.kinds.len());
        if catch_unwind(AssertUnwindSafe(|| self.map(mapper, item))).is_err() {
            self.lines.truncate(start);
            self.kinds.truncate(items);
            self.losses
                .count(DropReason::Internal, item.telemetry_type(), 1);
            otel_error!(name: "Encoder.Panicked");
        }
        self.arena.reset();
    }

    fn map(&mut self, mapper: &Mapper, item: ItemRef<'_>) {
        let Self {
            losses,
            processors,
            arena,
            names,
            lines,
            kinds,
            console,
            last: _,
        } = self;
        let mut write = |envelope: &mut Envelope<'_>| {
            if let Err(reason) = processors.process(envelope) {
                return losses.count(reason, ItemKind::of(envelope), 1);
            }
            let kind = ItemKind::of(envelope);
            match item::write(envelope, lines) {
                Written::Whole => {}
                Written::Trimmed => losses.count_trimmed(),
                Written::Refused => return losses.count(DropReason::TooLarge, kind, 1),
            }
            kinds.push(kind);
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
                    names.remember(span.span_context.trace_id(), &envelope);
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
    }

    fn finish(&mut self) -> Option<Batch> {
        if self.kinds.is_empty() {
            return None;
        }
        self.last += 1;
        let batch = Batch::compress(self.last, &self.kinds, &self.lines);
        if batch.is_err() {
            self.losses.count_each(DropReason::Internal, &self.kinds);
        }
        self.kinds.clear();
        self.lines.clear();
        batch.ok()
    }
}
