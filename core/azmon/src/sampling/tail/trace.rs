use std::time::{Duration, Instant};

use crate::item::Item;

/// The decision about a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TailDecision {
    /// Each item follows the decision of the rate at the start of its span.
    ByRate,
    /// All items are kept, and each counts as one.
    Whole,
}

/// An item that may have to wait.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) item: Item,
    /// The decision of the rate.
    pub(crate) kept_by_rate: bool,
    pub(super) bytes: usize,
}

/// Items that need not wait any longer.
#[derive(Debug)]
pub(crate) struct Released {
    pub(crate) verdict: TailDecision,
    pub(crate) items: Vec<Held>,
}

impl Held {
    pub(crate) fn new(item: Item, kept_by_rate: bool) -> Self {
        Self {
            bytes: item.size(),
            item,
            kept_by_rate,
        }
    }
}

impl Released {
    pub(super) fn one(verdict: TailDecision, item: Option<Held>) -> Self {
        Self {
            verdict,
            items: item.into_iter().collect(),
        }
    }
}

/// A trace with a running local root, or with a running span whose local root has ended.
#[derive(Debug)]
pub(super) struct Trace {
    /// The start of the trace, or the time of its decision.
    pub(super) since: Instant,
    pub(super) open_roots: usize,
    pub(super) open_spans: usize,
    pub(super) state: State,
}

#[derive(Debug)]
pub(super) enum State {
    Waiting(Vec<Held>),
    Decided(TailDecision),
}

impl Trace {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            open_roots: 0,
            open_spans: 0,
            state: State::Waiting(Vec::new()),
        }
    }

    pub(super) fn start(&mut self, is_root: bool, now: Instant) {
        self.open_spans += 1;
        if !is_root {
            return;
        }
        self.open_roots += 1;
        // Another request of the same trace is decided separately.
        if matches!(self.state, State::Decided(TailDecision::ByRate)) {
            self.since = now;
            self.state = State::Waiting(Vec::new());
        }
    }

    /// Notes the end of a span, and returns the decision that it causes.
    pub(super) fn end(&mut self, is_root: bool, keep: bool) -> Option<TailDecision> {
        self.open_spans = self.open_spans.saturating_sub(1);
        self.open_roots = self.open_roots.saturating_sub(usize::from(is_root));
        if is_root && keep {
            return Some(TailDecision::Whole);
        }
        match self.state {
            State::Decided(verdict) => Some(verdict),
            State::Waiting(_) => (is_root && self.open_roots == 0).then_some(TailDecision::ByRate),
        }
    }

    /// Sets the decision, and returns the waiting items.
    pub(super) fn decide(&mut self, verdict: TailDecision, now: Instant) -> Vec<Held> {
        match std::mem::replace(&mut self.state, State::Decided(verdict)) {
            State::Waiting(items) => {
                self.since = now;
                items
            }
            State::Decided(_) => Vec::new(),
        }
    }

    pub(super) fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting(_))
    }

    /// Whether the trace is decided and no span of it is running.
    pub(super) fn is_over(&self) -> bool {
        self.open_spans == 0 && !self.is_waiting()
    }
}
