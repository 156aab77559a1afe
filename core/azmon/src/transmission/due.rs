//! The next action of a worker, as a pure function of its state.

use std::time::Duration;

use tokio::time::Instant;

use crate::transmission::circuit::later;

/// The inputs of the decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) now: Instant,
    /// Number of items in the queue.
    pub(super) queued: usize,
    /// Since when items have been waiting in the queue.
    pub(super) queued_since: Option<Instant>,
    /// Number of queued items that are taken without delay.
    pub(super) batch: usize,
    /// The delay of fewer items.
    pub(super) delay: Duration,
    /// The queue must be emptied now: a flush or a shutdown.
    pub(super) is_urgent: bool,
    /// Items that were taken from the queue, or exported, and are not encoded.
    pub(super) taken: usize,
    /// Whether batches may be added.
    pub(super) has_room: bool,
    /// The next collection of metrics.
    pub(super) metrics: Option<Instant>,
    /// The next deadline of uploads or the disk.
    pub(super) uploads: Option<Instant>,
    /// The deadline of the shutdown.
    pub(super) end: Option<Instant>,
}

/// The next actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Take items from the queue.
    pub(super) take: bool,
    /// Encode the taken items.
    pub(super) encode: bool,
    /// Collect the metrics.
    pub(super) measure: bool,
    /// The next timer deadline if no action is due; every other event wakes the worker itself.
    pub(super) wake: Option<Instant>,
}

impl Due {
    pub(super) fn is_now(&self) -> bool {
        self.take || self.encode || self.measure
    }
}

/// Decides which actions are due.
///
/// Without room for batches, nothing is encoded, taken or collected: the queue counts the items that it drops, and the
/// metrics keep counting.
pub(super) fn due(situation: &Situation) -> Due {
    let Situation {
        now,
        queued,
        queued_since,
        batch,
        delay,
        is_urgent,
        taken,
        has_room,
        metrics,
        uploads,
        end,
    } = *situation;
    let queue_time = queued_since
        .filter(|_| queued > 0)
        .map(|since| later(since, delay));
    let is_queue_due = queue_time.is_some_and(|time| time <= now);
    let take =
        has_room && taken == 0 && queued > 0 && (is_urgent || queued >= batch || is_queue_due);
    let measure = has_room && metrics.is_some_and(|time| time <= now);
    let waits_for_room = !has_room;
    let timers = [queue_time, metrics]
        .into_iter()
        .filter(|_| !waits_for_room);
    let timers = timers.chain([uploads, end]).flatten();
    Due {
        take,
        encode: has_room && taken > 0,
        measure,
        wake: timers.min(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn idle(now: Instant) -> Situation {
        Situation {
            now,
            queued: 0,
            queued_since: None,
            batch: 100,
            delay: SECOND,
            is_urgent: false,
            taken: 0,
            has_room: true,
            metrics: None,
            uploads: None,
            end: None,
        }
    }

    fn queued(now: Instant, items: usize, since: Instant) -> Situation {
        Situation {
            queued: items,
            queued_since: Some(since),
            ..idle(now)
        }
    }

    #[test]
    fn an_idle_worker_sleeps() {
        let nothing = Due {
            take: false,
            encode: false,
            measure: false,
            wake: None,
        };
        assert_eq!(due(&idle(Instant::now())), nothing);
    }

    #[test]
    fn the_queue_is_taken_when_it_fills_a_batch_or_has_waited_or_is_urgent() {
        let now = Instant::now();
        assert!(due(&queued(now, 100, now)).take);
        assert!(due(&queued(now + SECOND, 1, now)).take);
        let waiting = due(&queued(now, 99, now));
        assert_eq!((waiting.take, waiting.wake), (false, Some(now + SECOND)));
        let urgent = Situation {
            is_urgent: true,
            ..queued(now, 1, now)
        };
        assert!(due(&urgent).take);
    }

    #[test]
    fn a_flush_waits_for_the_rest_of_the_queue() {
        let now = Instant::now();
        for items in 1..100 {
            assert!(due(&queued(now, items, now)).wake.is_some(), "{items}");
        }
    }

    #[test]
    fn without_room_only_uploads_and_the_end_wake() {
        let now = Instant::now();
        let full = Situation {
            has_room: false,
            taken: 5,
            metrics: Some(now),
            uploads: Some(now + 3 * SECOND),
            end: Some(now + 9 * SECOND),
            ..queued(now, 1_000, now)
        };
        let full = due(&full);
        assert!(!full.is_now());
        assert_eq!(full.wake, Some(now + 3 * SECOND));
    }

    #[test]
    fn taken_items_are_encoded_before_more_are_taken() {
        let now = Instant::now();
        let taken = Situation {
            taken: 1,
            ..queued(now, 1_000, now)
        };
        let taken = due(&taken);
        assert!(taken.encode && !taken.take);
    }

    #[test]
    fn an_endless_delay_can_be_computed() {
        let now = Instant::now();
        let endless = Situation {
            delay: Duration::MAX,
            ..queued(now, 1, now)
        };
        assert!(!due(&endless).take);
    }
}
