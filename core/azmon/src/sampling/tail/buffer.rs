use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::TraceId;

use super::trace::{Held, Released, State, TailDecision, Trace};
use super::{DecisionLimits, SHARDS};

/// The running traces and the items that wait for the decision about them.
#[derive(Debug)]
pub(crate) struct DecisionBuffer {
    limits: DecisionLimits,
    /// The duration from which a trace is kept before its root ends.
    slower_than: Option<Duration>,
    pub(super) shards: [Mutex<Shard>; SHARDS],
    pub(super) traces: AtomicUsize,
    pub(super) items: AtomicUsize,
    pub(super) bytes: AtomicUsize,
    /// The shard that is examined next.
    next: AtomicUsize,
    closed: AtomicBool,
    decided_early: AtomicU64,
}

#[derive(Debug)]
pub(super) struct Shard {
    pub(super) traces: HashMap<TraceId, Trace>,
    looked_through: Instant,
}

/// A span that has ended.
#[derive(Debug)]
pub(crate) struct EndedSpan {
    pub(crate) trace_id: TraceId,
    pub(crate) is_root: bool,
    /// Whether the span causes its whole trace to be kept.
    pub(crate) keep: bool,
    /// `None` if the span must never be kept.
    pub(crate) item: Option<Held>,
}

impl DecisionBuffer {
    pub(crate) fn new(limits: DecisionLimits, slower_than: Option<Duration>, now: Instant) -> Self {
        let shard = || {
            Mutex::new(Shard {
                traces: HashMap::new(),
                looked_through: now,
            })
        };
        Self {
            limits,
            slower_than,
            shards: std::array::from_fn(|_| shard()),
            traces: AtomicUsize::new(0),
            items: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            next: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            decided_early: AtomicU64::new(0),
        }
    }

    /// Notes the start of a span.
    pub(crate) fn start(&self, trace_id: TraceId, is_root: bool, now: Instant) {
        let mut shard = self.shard(trace_id);
        if let Some(trace) = shard.traces.get_mut(&trace_id) {
            trace.start(is_root, now);
        } else if is_root && !self.closed.load(Ordering::Relaxed) {
            if reserve(&self.traces, 1, self.limits.traces) {
                let trace = shard
                    .traces
                    .entry(trace_id)
                    .or_insert_with(|| Trace::new(now));
                trace.start(is_root, now);
            } else {
                self.decided_early.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Notes the end of a span, and returns the items that need not wait any longer.
    pub(crate) fn end(&self, ended: EndedSpan, now: Instant) -> Released {
        let EndedSpan {
            trace_id,
            is_root,
            keep,
            item,
        } = ended;
        let mut shard = self.shard(trace_id);
        let Some(trace) = shard.traces.get_mut(&trace_id) else {
            let verdict = if is_root && keep {
                TailDecision::Whole
            } else {
                TailDecision::ByRate
            };
            return Released::one(verdict, item);
        };
        let decided = trace.end(is_root, keep);
        let released = match decided {
            Some(verdict) => self.decide(trace, verdict, item, now),
            None => self.hold(trace, item, now),
        };
        if trace.is_over() {
            shard.traces.remove(&trace_id);
            self.traces.fetch_sub(1, Ordering::Relaxed);
        }
        released
    }

    /// Holds an item other than a span, or returns it if its trace is decided.
    pub(crate) fn offer(&self, trace_id: TraceId, item: Held, now: Instant) -> Released {
        let mut shard = self.shard(trace_id);
        match shard.traces.get_mut(&trace_id) {
            Some(trace) => self.hold(trace, Some(item), now),
            None => Released::one(TailDecision::ByRate, Some(item)),
        }
    }

    /// Decides about traces that have waited long enough, in the shard whose turn it is.
    pub(crate) fn look_through_next(&self, now: Instant) -> Vec<Released> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % SHARDS;
        let shard = self.shards.get(turn).map(Mutex::try_lock);
        match shard {
            Some(Ok(mut shard)) if now >= shard.looked_through + LOOK_THROUGH_INTERVAL => {
                self.look_through(&mut shard, now)
            }
            _ => Vec::new(),
        }
    }

    /// Decides about traces that have waited long enough.
    pub(crate) fn look_through_all(&self, now: Instant) -> Vec<Released> {
        let shards = self.shards.iter().map(lock);
        shards
            .flat_map(|mut shard| self.look_through(&mut shard, now))
            .collect()
    }

    /// Decides about all traces; no item waits from then on.
    pub(crate) fn close(&self, now: Instant) -> Vec<Released> {
        // A span that locks its shard after this loop has visited it sees the flag as well.
        self.closed.store(true, Ordering::Relaxed);
        let shards = self.shards.iter().map(lock);
        shards
            .flat_map(|mut shard| {
                let traces = shard.traces.values_mut();
                let waiting = traces.filter(|trace| trace.is_waiting());
                let released = waiting.map(|trace| self.decide_unended(trace, None, now));
                released.collect::<Vec<_>>()
            })
            .collect()
    }

    /// The number of traces that the rate decided before their local roots ended.
    pub(crate) fn decided_early(&self) -> u64 {
        self.decided_early.load(Ordering::Relaxed)
    }

    fn hold(&self, trace: &mut Trace, item: Option<Held>, now: Instant) -> Released {
        let Some(item) = item else {
            return Released::one(TailDecision::ByRate, None);
        };
        match &mut trace.state {
            State::Decided(verdict) => Released::one(*verdict, Some(item)),
            State::Waiting(items) if self.has_room(&item) => {
                items.push(item);
                Released::one(TailDecision::ByRate, None)
            }
            State::Waiting(_) => self.decide_unended(trace, Some(item), now),
        }
    }

    fn has_room(&self, item: &Held) -> bool {
        if self.closed.load(Ordering::Relaxed) || !reserve(&self.items, 1, self.limits.items) {
            return false;
        }
        let has_room = reserve(&self.bytes, item.bytes, self.limits.bytes);
        if !has_room {
            self.items.fetch_sub(1, Ordering::Relaxed);
        }
        has_room
    }

    /// Decides, and returns the waiting items followed by `item`.
    fn decide(
        &self,
        trace: &mut Trace,
        verdict: TailDecision,
        item: Option<Held>,
        now: Instant,
    ) -> Released {
        let mut items = trace.decide(verdict, now);
        let bytes = items.iter().map(|held| held.bytes).sum();
        self.items.fetch_sub(items.len(), Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
        items.extend(item);
        Released { verdict, items }
    }

    /// Decides before a local root has ended. If the trace has taken longer than the limit, it is slow already.
    fn decide_unended(&self, trace: &mut Trace, item: Option<Held>, now: Instant) -> Released {
        if self.is_slow(trace.age(now)) {
            return self.decide(trace, TailDecision::Whole, item, now);
        }
        self.decided_early.fetch_add(1, Ordering::Relaxed);
        self.decide(trace, TailDecision::ByRate, item, now)
    }

    fn is_slow(&self, age: Duration) -> bool {
        self.slower_than.is_some_and(|limit| age > limit)
    }

    /// Forgets traces that were decided long ago: their spans were lost or take very long.
    fn look_through(&self, shard: &mut Shard, now: Instant) -> Vec<Released> {
        shard.looked_through = now;
        let mut released = Vec::new();
        let before = shard.traces.len();
        shard.traces.retain(|_, trace| {
            let age = trace.age(now);
            let is_old = age >= self.limits.max_wait;
            if !trace.is_waiting() {
                return !is_old;
            }
            if is_old || self.is_slow(age) {
                released.push(self.decide_unended(trace, None, now));
            }
            true
        });
        let forgotten = before - shard.traces.len();
        self.traces.fetch_sub(forgotten, Ordering::Relaxed);
        released
    }

    fn shard(&self, trace_id: TraceId) -> MutexGuard<'_, Shard> {
        // The last bytes are random in every kind of trace id.
        let [.., low] = trace_id.to_bytes();
        lock(&self.shards[usize::from(low) % SHARDS])
    }
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds to a counter, unless the sum exceeds the limit.
fn reserve(counter: &AtomicUsize, amount: usize, limit: usize) -> bool {
    let before = counter.fetch_add(amount, Ordering::Relaxed);
    let has_room = before.saturating_add(amount) <= limit;
    if !has_room {
        counter.fetch_sub(amount, Ordering::Relaxed);
    }
    has_room
}

/// Minimum time between two examinations of a shard.
const LOOK_THROUGH_INTERVAL: Duration = Duration::from_secs(1);
