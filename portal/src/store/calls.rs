//! Matches requests with their dependencies, in any order of arrival.

use std::collections::VecDeque;

use hashbrown::HashMap;
use hashbrown::HashSet;

/// The maximum number of remembered calls, and of requests that wait for theirs. The oldest are forgotten first.
const MAX_REMEMBERED: usize = 100_000;

/// One end of a call.
#[derive(Debug, Clone, Copy)]
pub(super) struct End {
    pub(super) series: i64,
    pub(super) time: i64,
    pub(super) duration: i64,
    pub(super) weight: i64,
}

/// A dependency and the request that it caused.
#[derive(Debug, Clone, Copy)]
pub(super) struct Match {
    pub(super) caller: End,
    pub(super) callee: End,
}

#[derive(Debug, Default)]
pub(super) struct Calls {
    callers: HashMap<i64, End>,
    caller_order: VecDeque<i64>,
    waiting: HashMap<i64, Vec<End>>,
    waiting_order: VecDeque<i64>,
    /// Spans that were seen, to detect duplicates.
    spans: HashSet<i64>,
    span_order: VecDeque<i64>,
}

impl Calls {
    /// Whether a span with this key was seen before.
    pub(super) fn is_duplicate(&mut self, span: i64) -> bool {
        if !self.spans.insert(span) {
            return true;
        }
        self.span_order.push_back(span);
        if self.span_order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.span_order.pop_front()
        {
            self.spans.remove(&oldest);
        }
        false
    }

    /// Adds a dependency. Returns the requests that waited for it.
    pub(super) fn caller(&mut self, span: i64, caller: End) -> Vec<Match> {
        if self.callers.insert(span, caller).is_none() {
            self.caller_order.push_back(span);
            if self.caller_order.len() > MAX_REMEMBERED
                && let Some(oldest) = self.caller_order.pop_front()
            {
                self.callers.remove(&oldest);
            }
        }
        let waiting = self.waiting.remove(&span).unwrap_or_default();
        waiting
            .into_iter()
            .map(|callee| Match { caller, callee })
            .collect()
    }

    /// Adds a request. Returns its dependency if known; otherwise the request waits.
    pub(super) fn callee(&mut self, parent: i64, callee: End) -> Option<Match> {
        if let Some(caller) = self.callers.get(&parent) {
            return Some(Match {
                caller: *caller,
                callee,
            });
        }
        self.waiting.entry(parent).or_default().push(callee);
        self.waiting_order.push_back(parent);
        if self.waiting_order.len() > MAX_REMEMBERED
            && let Some(oldest) = self.waiting_order.pop_front()
        {
            self.waiting.remove(&oldest);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(series: i64) -> End {
        End {
            series,
            time: 0,
            duration: 0,
            weight: 1,
        }
    }

    #[test]
    fn both_orders_of_arrival_give_the_same_match() {
        let mut calls = Calls::default();
        assert!(calls.caller(7, end(1)).is_empty());
        let first = calls.callee(7, end(2)).unwrap();
        let mut calls = Calls::default();
        assert!(calls.callee(7, end(2)).is_none());
        let second = calls.caller(7, end(1)).remove(0);
        assert_eq!(
            (first.caller.series, first.callee.series),
            (second.caller.series, second.callee.series)
        );
    }

    #[test]
    fn memory_is_bounded() {
        let mut calls = Calls::default();
        for key in 0..MAX_REMEMBERED as i64 + 10 {
            let _ = calls.caller(key, end(1));
            let _ = calls.callee(-key - 1, end(2));
            let _ = calls.is_duplicate(key);
        }
        assert_eq!(calls.callers.len(), MAX_REMEMBERED);
        assert!(calls.waiting.len() <= MAX_REMEMBERED);
        assert!(calls.callee(0, end(2)).is_none(), "the oldest is forgotten");
    }
}
