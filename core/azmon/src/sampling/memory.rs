use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use opentelemetry::trace::{SpanId, TraceId};

use crate::sampling::item_count::ItemCount;

/// Number of slots that one key may occupy.
const WAYS: usize = 4;
/// Number of remembered rates: 128 KiB.
const SLOTS: usize = 16_384;

/// The recent sampling rates of traces, so that children are counted at the rate of their parents.
///
/// OpenTelemetry tells a sampler whether the parent is sampled, but not the parent's attributes. The rate of a trace is
/// written when its first span in this process is kept. The rate of a span is written if it differs from that of its
/// trace, as under an override. Reading and writing are one or two atomic operations each. New rates replace older ones
/// at random; a replaced rate is presumed to equal the current one.
pub(super) struct Memory {
    seed: u64,
    slots: Box<[AtomicU64]>,
    has_spans: AtomicBool,
}

/// The remembered decision about a span or a trace: its rate, or that it must never be kept.
pub(super) type Remembered = Option<ItemCount>;

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            seed: fastrand::u64(..),
            slots: (0..SLOTS).map(|_| AtomicU64::new(EMPTY)).collect(),
            has_spans: AtomicBool::new(false),
        }
    }

    pub(super) fn remember_trace(&self, trace_id: TraceId, rate: ItemCount) {
        self.put(self.key(trace_id, SpanId::INVALID), Some(rate));
    }

    pub(super) fn remember_span(&self, trace_id: TraceId, span_id: SpanId, rate: Remembered) {
        self.has_spans.store(true, Ordering::Relaxed);
        self.put(self.key(trace_id, span_id), rate);
    }

    pub(super) fn of_trace(&self, trace_id: TraceId) -> Option<ItemCount> {
        self.get(self.key(trace_id, SpanId::INVALID))?
    }

    /// The remembered decision about a span, or else about its trace.
    pub(super) fn of_span(&self, trace_id: TraceId, span_id: SpanId) -> Option<Remembered> {
        let own = self
            .has_spans
            .load(Ordering::Relaxed)
            .then(|| self.get(self.key(trace_id, span_id)))
            .flatten();
        own.or_else(|| self.of_trace(trace_id).map(Some))
    }

    /// Other services choose ids as well: the seed prevents them from choosing whose slot they replace.
    fn key(&self, trace_id: TraceId, span_id: SpanId) -> u64 {
        let id = u128::from_be_bytes(trace_id.to_bytes());
        let parts = [
            (id >> 64) as u64,
            id as u64,
            u64::from_be_bytes(span_id.to_bytes()),
        ];
        parts.iter().fold(self.seed, |hash, part| mix(hash ^ part))
    }

    fn put(&self, key: u64, rate: Remembered) {
        let entry = tag(key) | u64::from(rate.map_or(0, ItemCount::to_u32));
        let set = self.set(key);
        let slot = set
            .iter()
            .find(|slot| slot.load(Ordering::Relaxed) & TAG == tag(key))
            .or_else(|| {
                let mut slots = set.iter();
                slots.find(|slot| slot.load(Ordering::Relaxed) == EMPTY)
            })
            .or_else(|| set.get(fastrand::usize(..WAYS)));
        if let Some(slot) = slot {
            slot.store(entry, Ordering::Relaxed);
        }
    }

    fn get(&self, key: u64) -> Option<Remembered> {
        self.set(key)
            .iter()
            .map(|slot| slot.load(Ordering::Relaxed))
            .find(|entry| entry & TAG == tag(key))
            .map(|entry| ItemCount::from_u32(entry as u32))
    }

    fn set(&self, key: u64) -> &[AtomicU64] {
        let first = key as usize % (SLOTS / WAYS) * WAYS;
        self.slots.get(first..first + WAYS).unwrap_or_default()
    }
}

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

thread_local! {
    static UNUSUAL: Cell<Option<(TraceId, Remembered)>> = const { Cell::new(None) };
}

/// Passes a span's own rate to [`take_unusual`]. The sampler does not know the id of the span that it decides about,
/// but the span starts next, on the same thread.
pub(super) fn leave_unusual(rate: Option<(TraceId, Remembered)>) {
    UNUSUAL.set(rate);
}

/// Takes the rate that the sampler left for the span of this trace that starts now.
pub(super) fn take_unusual(trace_id: TraceId) -> Option<Remembered> {
    let (of, rate) = UNUSUAL.take()?;
    (of == trace_id).then_some(rate)
}

const EMPTY: u64 = 0;
/// The half of an entry that identifies its key; the other half is the item count.
const TAG: u64 = 0xffff_ffff_0000_0000;

/// Never equals the tag of an empty slot.
fn tag(key: u64) -> u64 {
    key & TAG | 1 << 32
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(number: u128) -> TraceId {
        TraceId::from_bytes(number.to_be_bytes())
    }

    fn span(number: u64) -> SpanId {
        SpanId::from_bytes(number.to_be_bytes())
    }

    fn items(count: u32) -> Option<ItemCount> {
        ItemCount::from_u32(count)
    }

    #[test]
    fn a_span_has_the_rate_of_its_trace_unless_it_has_its_own() {
        let memory = Memory::new();
        assert_eq!(memory.of_span(trace(1), span(1)), None);
        memory.remember_trace(trace(1), items(4).unwrap());
        assert_eq!(memory.of_span(trace(1), span(1)), Some(items(4)));
        memory.remember_span(trace(1), span(1), items(20));
        memory.remember_span(trace(1), span(2), None);
        assert_eq!(memory.of_span(trace(1), span(1)), Some(items(20)));
        assert_eq!(memory.of_span(trace(1), span(2)), Some(None));
        assert_eq!(memory.of_span(trace(1), span(3)), Some(items(4)));
        assert_eq!(memory.of_span(trace(2), span(1)), None);
        memory.remember_trace(trace(1), ItemCount::ONE);
        assert_eq!(memory.of_trace(trace(1)), items(1));
    }

    #[test]
    fn the_newest_of_many_traces_are_remembered_and_none_is_confused() {
        let memory = Memory::new();
        let rate = |number: u128| items(number as u32 % 1_000 + 1).unwrap();
        for number in 1..=100_000 {
            memory.remember_trace(trace(number), rate(number));
            assert_eq!(memory.of_trace(trace(number)), Some(rate(number)));
        }
        let mut lately = 0;
        for number in 1..=100_000 {
            if let Some(remembered) = memory.of_trace(trace(number)) {
                assert_eq!(remembered, rate(number));
                lately += u32::from(number > 99_000);
            }
        }
        assert!(lately > 900, "{lately} of the last 1,000");
    }

    #[test]
    fn an_unusual_rate_is_taken_once_and_by_its_own_trace() {
        leave_unusual(Some((trace(1), items(3))));
        assert_eq!(take_unusual(trace(1)), Some(items(3)));
        assert_eq!(take_unusual(trace(1)), None);
        leave_unusual(Some((trace(1), None)));
        assert_eq!(take_unusual(trace(2)), None);
        assert_eq!(take_unusual(trace(1)), None);
    }
}
