use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use opentelemetry::otel_error;

use crate::envelope::Envelope;
use crate::mapping::{Arena, Mapper};
use crate::pipeline::Item;
use crate::transmission::batch::Batch;
use crate::transmission::item::{self, Written};
use crate::transmission::operation_names::OperationNames;
use crate::transmission::{DropReason, Losses};

/// Most items of a batch; the service takes 64,000.
const MOST_ITEMS: usize = 4_096;
/// Most bytes of a batch before compression.
const MOST_BYTES: usize = 4 << 20;

/// Turns items into batches.
#[derive(Debug)]
pub(super) struct Encoder {
    losses: Arc<Losses>,
    arena: Arena,
    names: OperationNames,
    lines: Vec<u8>,
    items: usize,
    /// The number of the last batch that was made; the first is 1.
    last: u64,
}

impl Encoder {
    pub(super) fn new(losses: Arc<Losses>) -> Self {
        Self {
            losses,
            arena: Arena::new(),
            names: OperationNames::default(),
            lines: Vec::new(),
            items: 0,
            last: 0,
        }
    }

    /// Encodes `items` into as many batches as they need.
    ///
    /// Requests go first, so that the items of their operations know its name.
    pub(super) fn encode(&mut self, mapper: &Mapper, items: &[Item], mut emit: impl FnMut(Batch)) {
        let roots = items.iter().filter(|item| item.is_root());
        let others = items.iter().filter(|item| !item.is_root());
        for item in roots.chain(others) {
            self.add(mapper, item);
            if self.items >= MOST_ITEMS || self.lines.len() >= MOST_BYTES {
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
    fn add(&mut self, mapper: &Mapper, item: &Item) {
        let (start, items) = (self.lines.len(), self.items);
        if catch_unwind(AssertUnwindSafe(|| self.map(mapper, item))).is_err() {
            self.lines.truncate(start);
            self.items = items;
            self.losses.count(DropReason::Internal, 1);
            otel_error!(name: "Encoder.Panicked");
        }
        self.arena.reset();
    }

    fn map(&mut self, mapper: &Mapper, item: &Item) {
        let Self {
            losses,
            arena,
            names,
            lines,
            items,
            last: _,
        } = self;
        let mut write = |envelope: &mut Envelope<'_>| match item::write(envelope, lines) {
            Written::Whole => *items += 1,
            Written::Trimmed => {
                *items += 1;
                losses.count_trimmed();
            }
            Written::Refused => losses.count(DropReason::TooLarge, 1),
        };
        match item {
            Item::Span(span) if item.is_root() => {
                mapper.map_span(span, None, arena, |mut envelope| {
                    names.remember(span.span_context.trace_id(), &envelope);
                    write(&mut envelope);
                });
            }
            Item::Span(span) => {
                let name = names.of(span.span_context.trace_id());
                mapper.map_span(span, name, arena, |mut envelope| write(&mut envelope));
            }
        }
    }

    fn finish(&mut self) -> Option<Batch> {
        let items = std::mem::take(&mut self.items);
        if items == 0 {
            return None;
        }
        self.last += 1;
        let batch = Batch::compress(self.last, items, &self.lines);
        self.lines.clear();
        if batch.is_err() {
            self.losses.count(DropReason::Internal, items);
        }
        batch.ok()
    }
}
