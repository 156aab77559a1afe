//! Matches requests with their dependencies, in any order of arrival.

use std::collections::VecDeque;

use azmon_envelope::Envelope;
use hashbrown::HashMap;
use hashbrown::HashSet;
use rusqlite::{Connection, params};

use crate::store::ItemKind;
use crate::store::prepared::Keys;

/// The maximum number of remembered calls, and of requests that wait for theirs. The oldest are forgotten first.
const MAX_REMEMBERED: usize = 100_000;

/// The number of newest items whose other end may still arrive after a restart of the portal.
const MAX_RELOADED: i64 = 40_000;

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
    /// Loads the calls that the newest items left open when the portal ended: their edges are counted, their halves still
    /// wait for the other.
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut calls = Self::default();
        let mut statement = connection.prepare(
            "SELECT i.series, i.time, coalesce(i.duration, 0), i.weight, s.kind, e.json
             FROM items i JOIN series s ON s.id = i.series JOIN envelopes e ON e.id = i.id
             WHERE i.id > (SELECT max(id) FROM items) - ?1 AND s.kind IN (?2, ?3) ORDER BY i.id",
        )?;
        let (request, dependency) = (ItemKind::Request.code(), ItemKind::Dependency.code());
        let mut rows = statement.query(params![MAX_RELOADED, request, dependency])?;
        while let Some(row) = rows.next()? {
            let json = row.get_ref(5)?.as_str().unwrap_or_default();
            let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(json) else {
                continue;
            };
            let end = End {
                series: row.get(0)?,
                time: row.get(1)?,
                duration: row.get(2)?,
                weight: row.get(3)?,
            };
            let keys = Keys::of(&envelope);
            if let Some(span) = keys.span {
                let _ = calls.is_duplicate(span);
            }
            match (row.get::<_, u8>(4)? == dependency, keys.span, keys.parent) {
                (true, Some(span), _) => {
                    calls.caller(span, end);
                }
                (false, _, Some(parent)) => {
                    calls.callee(parent, end);
                }
                _ => {}
            }
        }
        Ok(calls)
    }

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
