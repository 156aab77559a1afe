//! What a worker is to do, given its state: one pure function.

use std::time::Duration;

use tokio::time::Instant;

use crate::transmission::circuit::later;

/// What a worker knows when it decides.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation {
    pub(super) now: Instant,
    /// Items in the queue.
    pub(super) queued: usize,
    /// Since when something waits in the queue.
    pub(super) queued_since: Option<Instant>,
    /// How many items of the queue do not wait for others.
    pub(super) batch: usize,
    /// How long others do.
    pub(super) delay: Duration,
    /// The queue is to be emptied now: a flush or the end.
    pub(super) is_urgent: bool,
    /// Items that were taken from the queue, or handed over by an exporter, and are not encoded.
    pub(super) taken: usize,
    /// Whether batches may be added.
    pub(super) has_room: bool,
    /// When metrics are collected next.
    pub(super) metrics: Option<Instant>,
    /// When uploads or the disk have something to do.
    pub(super) uploads: Option<Instant>,
    /// When the end is due.
    pub(super) end: Option<Instant>,
}

/// What it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Due {
    /// Take from the queue.
    pub(super) take: bool,
    /// Encode what was taken.
    pub(super) encode: bool,
    /// Collect the metrics.
    pub(super) measure: bool,
    /// Wake up then, if nothing is to be done now; other events wake the worker by themselves.
    pub(super) wake: Option<Instant>,
}

impl Due {
    pub(super) fn is_now(&self) -> bool {
        self.take || self.encode || self.measure
    }
}

/// Decides what is due.
///
/// While there is no room, nothing is encoded, taken or collected: the queue counts what it drops, and metrics go
/// on counting.
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
    fn what_is_left_in_the_queue_is_waited_for() {
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
    fn what_was_taken_is_encoded_before_more_is_taken() {
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
