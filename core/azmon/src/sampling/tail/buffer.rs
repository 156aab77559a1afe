use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::trace::TraceId;

use super::trace::{Held, Released, State, Trace, Verdict};
use super::{DecisionLimits, SHARDS};

/// The traces that are under way, and what waits for their decision.
#[derive(Debug)]
pub(crate) struct DecisionBuffer {
    limits: DecisionLimits,
    /// After which time a trace is kept, without waiting for its root.
    slower_than: Option<Duration>,
    pub(super) shards: [Mutex<Shard>; SHARDS],
    pub(super) traces: AtomicUsize,
    pub(super) items: AtomicUsize,
    pub(super) bytes: AtomicUsize,
    /// The shard that is looked through next.
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
pub(crate) struct Ended {
    pub(crate) trace_id: TraceId,
    pub(crate) is_root: bool,
    /// Whether it makes its whole trace be kept.
    pub(crate) keep: bool,
    /// `None` if it must not be kept whatever is decided.
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

    /// Notes that a span has started.
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

    /// Notes that a span has ended, and answers what need not wait any longer.
    pub(crate) fn end(&self, ended: Ended, now: Instant) -> Released {
        let Ended {
            trace_id,
            is_root,
            keep,
            item,
        } = ended;
        let mut shard = self.shard(trace_id);
        let Some(trace) = shard.traces.get_mut(&trace_id) else {
            let verdict = match is_root && keep {
                true => Verdict::Whole,
                false => Verdict::ByRate,
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

    /// Lets an item wait that is no span, if its trace is not decided; else answers it.
    pub(crate) fn offer(&self, trace_id: TraceId, item: Held, now: Instant) -> Released {
        let mut shard = self.shard(trace_id);
        match shard.traces.get_mut(&trace_id) {
            Some(trace) => self.hold(trace, Some(item), now),
            None => Released::one(Verdict::ByRate, Some(item)),
        }
    }

    /// Decides about what has waited long enough, in the shard whose turn it is.
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

    /// Decides about what has waited long enough.
    pub(crate) fn look_through_all(&self, now: Instant) -> Vec<Released> {
        let shards = self.shards.iter().map(lock);
        shards
            .flat_map(|mut shard| self.look_through(&mut shard, now))
            .collect()
    }

    /// Decides about everything; nothing waits any more.
    pub(crate) fn close(&self, now: Instant) -> Vec<Released> {
        // A span that sees its shard after this has been through sees this too.
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

    /// How many traces were decided by the rate before their local roots ended.
    pub(crate) fn decided_early(&self) -> u64 {
        self.decided_early.load(Ordering::Relaxed)
    }

    fn hold(&self, trace: &mut Trace, item: Option<Held>, now: Instant) -> Released {
        let Some(item) = item else {
            return Released::one(Verdict::ByRate, None);
        };
        match &mut trace.state {
            State::Decided(verdict) => Released::one(*verdict, Some(item)),
            State::Waiting(items) if self.has_room(&item) => {
                items.push(item);
                Released::one(Verdict::ByRate, None)
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

    /// Decides, and gives what has waited and then `item`.
    fn decide(
        &self,
        trace: &mut Trace,
        verdict: Verdict,
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

    /// Decides before a local root has ended. One that takes longer than the limit is slow already.
    fn decide_unended(&self, trace: &mut Trace, item: Option<Held>, now: Instant) -> Released {
        if self.is_slow(trace.age(now)) {
            return self.decide(trace, Verdict::Whole, item, now);
        }
        self.decided_early.fetch_add(1, Ordering::Relaxed);
        self.decide(trace, Verdict::ByRate, item, now)
    }

    fn is_slow(&self, age: Duration) -> bool {
        self.slower_than.is_some_and(|limit| age > limit)
    }

    /// A trace that was decided long ago is forgotten: its spans were lost, or take very long.
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

/// Adds to a counter, unless that exceeds its limit.
fn reserve(counter: &AtomicUsize, amount: usize, limit: usize) -> bool {
    let before = counter.fetch_add(amount, Ordering::Relaxed);
    let has_room = before.saturating_add(amount) <= limit;
    if !has_room {
        counter.fetch_sub(amount, Ordering::Relaxed);
    }
    has_room
}

/// A shard is looked through at most so often.
const LOOK_THROUGH_INTERVAL: Duration = Duration::from_secs(1);
