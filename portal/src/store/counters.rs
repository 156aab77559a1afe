//! Counters since the start of the portal, readable from any thread.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::store::ItemKind;
use crate::store::histogram::Histogram;

/// Seconds of the rate's history.
pub(crate) const SECONDS: usize = 60;
/// An item that arrives later than this after its time, in microseconds, was imported or stored on the way: its delay
/// says nothing about the others.
const LATE: i64 = 10 * 60_000_000;
/// The maximum number of rejection messages that are held until they are written.
const MAX_REFUSALS: usize = 200;

/// Counters that change with every batch.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) received: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) throttled: AtomicU64,
    pub(crate) dropped: AtomicU64,
    /// The number of stored items.
    pub(crate) items: AtomicI64,
    pub(crate) bytes: AtomicI64,
    /// The id of the newest item.
    pub(crate) newest_id: AtomicI64,
    /// Incremented when all items are deleted.
    pub(crate) deletions: AtomicU64,
    recent: Mutex<Recent>,
}

#[derive(Debug, Default)]
struct Recent {
    /// Seconds since 1970, each with the number of items that arrived in it.
    seconds: VecDeque<(i64, u64)>,
    by_kind: [i64; ItemKind::ALL.len()],
    last_by_kind: [u64; ItemKind::ALL.len()],
    delays: [Histogram; 2],
    delays_since: i64,
    refusals: Vec<Refusal>,
    last_refusal: Option<Refusal>,
}

/// Items of one client that were refused with one message.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) client: Option<String>,
    pub(crate) count: i64,
    pub(crate) time: i64,
}

/// For each kind: the number of stored items, and a counter that changes with each arrival.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct KindCount {
    pub(crate) held: i64,
    pub(crate) arrivals: u64,
}

impl Counters {
    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn arrived(&self, now: i64, items: impl Iterator<Item = (ItemKind, i64)>) {
        let mut recent = self.recent();
        let mut count = 0;
        if now - recent.delays_since > 60_000_000 {
            recent.delays.swap(0, 1);
            recent.delays[0] = Histogram::default();
            recent.delays_since = now;
        }
        for (kind, time) in items {
            count += 1;
            let index = index(kind);
            recent.by_kind[index] += 1;
            recent.last_by_kind[index] += 1;
            if now - time <= LATE {
                recent.delays[0].add(now - time, 1);
            }
        }
        let second = now.div_euclid(1_000_000);
        match recent.seconds.back_mut() {
            Some((last, items)) if *last == second => *items += count,
            _ => recent.seconds.push_back((second, count)),
        }
        while recent.seconds.len() > SECONDS + 2 {
            recent.seconds.pop_front();
        }
        drop(recent);
        self.received.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn removed(&self, kind: ItemKind, count: i64) {
        self.recent().by_kind[index(kind)] -= count;
    }

    pub(super) fn set_held(&self, kind: ItemKind, count: i64) {
        self.recent().by_kind[index(kind)] = count;
    }

    pub(crate) fn kind(&self, kind: ItemKind) -> KindCount {
        let recent = self.recent();
        KindCount {
            held: recent.by_kind[index(kind)],
            arrivals: recent.last_by_kind[index(kind)],
        }
    }

    /// The items of the last 60 complete seconds before `now`, oldest first.
    pub(crate) fn rate(&self, now: i64) -> Vec<u64> {
        let second = now.div_euclid(1_000_000);
        let recent = self.recent();
        (second - SECONDS as i64..second)
            .map(|wanted| {
                let found = recent.seconds.iter().find(|(second, _)| *second == wanted);
                found.map_or(0, |(_, count)| *count)
            })
            .collect()
    }

    /// The 95th percentile of the delay from an item's time to its commit over the last minutes, in microseconds.
    pub(crate) fn visible_after(&self) -> Option<f64> {
        let recent = self.recent();
        let mut both = recent.delays[0].clone();
        both.merge(&recent.delays[1]);
        both.percentile(0.95)
    }

    /// Counts a refusal. Gives whether it is the first that waits to be written.
    pub(super) fn refuse(
        &self,
        message: &str,
        client: Option<&str>,
        count: i64,
        time: i64,
    ) -> bool {
        self.refused
            .fetch_add(count.max(0).cast_unsigned(), Ordering::Relaxed);
        let refusal = Refusal {
            message: message.chars().take(300).collect(),
            client: client.map(|client| client.chars().take(100).collect()),
            count,
            time,
        };
        let mut recent = self.recent();
        recent.last_refusal = Some(refusal.clone());
        let is_first = recent.refusals.is_empty();
        recent.wait(refusal);
        is_first
    }

    /// Refusals that could not be written wait again.
    pub(super) fn keep_refusals(&self, refusals: Vec<Refusal>) {
        let mut recent = self.recent();
        refusals
            .into_iter()
            .for_each(|refusal| recent.wait(refusal));
    }

    pub(crate) fn last_refusal(&self) -> Option<Refusal> {
        self.recent().last_refusal.clone()
    }

    pub(super) fn take_refusals(&self) -> Vec<Refusal> {
        std::mem::take(&mut self.recent().refusals)
    }
}

impl Recent {
    fn wait(&mut self, refusal: Refusal) {
        let is_same = |known: &&mut Refusal| {
            known.message == refusal.message && known.client == refusal.client
        };
        if let Some(known) = self.refusals.iter_mut().find(is_same) {
            known.count += refusal.count;
            known.time = known.time.max(refusal.time);
        } else if self.refusals.len() < MAX_REFUSALS {
            self.refusals.push(refusal);
        }
    }
}

fn index(kind: ItemKind) -> usize {
    usize::from(kind.code() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_of_an_import_does_not_count() {
        const SECOND: i64 = 1_000_000;

        let counters = Counters::default();
        let now = 1_800_000_000 * SECOND;
        counters.arrived(
            now,
            std::iter::once((ItemKind::Request, now - 30 * 60 * SECOND)),
        );
        assert_eq!(counters.visible_after(), None);
        counters.arrived(now, std::iter::once((ItemKind::Request, now - SECOND)));
        let delay = counters.visible_after().expect("a delay");
        assert!((delay - 1e6).abs() < 0.1e6, "{delay}");
    }
}
