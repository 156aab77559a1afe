//! The bounded queue between the application's threads and the worker.
//!
//! Counters limit it. They use relaxed ordering, because they only limit; the locks of the lanes order the items. The
//! exception is the length, which the worker reads before it sleeps.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::lanes::Lanes;
use crate::item::Item;

/// One in this number of places is reserved for exceptions and failed requests, so that they are dropped last.
const RESERVE: usize = 8;
/// Maximum capacity that the consumer keeps for gathered items, in items.
const KEPT_CAPACITY: usize = 4_096;

/// Limits of the queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
    /// Number of waiting items that wakes the worker before its delay is over.
    pub(crate) batch: usize,
}

/// Makes a queue for many producers and one consumer.
pub(crate) fn queue(limits: QueueLimits) -> (Producer, Consumer) {
    let shared = Arc::new(Shared {
        limits,
        items: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        wake: Notify::new(),
        lanes: Lanes::new(),
    });
    let producer = Producer {
        shared: shared.clone(),
    };
    let gathered = Gathered {
        entries: Mutex::default(),
        shared: shared.clone(),
    };
    let consumer = Consumer {
        gathered: Arc::new(gathered),
        shared,
    };
    (producer, consumer)
}

#[derive(Debug)]
struct Shared {
    limits: QueueLimits,
    /// Waiting items.
    items: AtomicUsize,
    /// Bytes of waiting items, and of taken items that still exist.
    bytes: AtomicUsize,
    wake: Notify,
    lanes: Lanes<Entry>,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    bytes: usize,
}

/// A taken item. Its bytes count until it is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) item: Item,
    _room: Option<Room>,
}

#[derive(Debug)]
struct Room {
    shared: Arc<Shared>,
    bytes: usize,
}

impl Taken {
    /// Wraps an item that does not occupy the queue.
    pub(crate) fn free(item: Item) -> Self {
        Self { item, _room: None }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.shared.bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The producers' end of the queue.
#[derive(Debug, Clone)]
pub(crate) struct Producer {
    shared: Arc<Shared>,
}

impl Producer {
    /// Adds an item, or returns it if the queue is full or has no worker.
    pub(crate) fn push(&self, item: impl Into<Item>) -> Result<(), Item> {
        let mut item = item.into();
        let Shared {
            limits,
            items,
            bytes,
            wake,
            lanes,
        } = &*self.shared;
        let size = item.size();
        let waiting = items.fetch_add(1, Ordering::Relaxed);
        let waiting_bytes = bytes.fetch_add(size, Ordering::Relaxed);
        let room = limits.room(waiting, waiting_bytes.saturating_add(size));
        let is_taken = match room {
            RoomFor::All => true,
            RoomFor::Failures => item.is_failure(),
            RoomFor::Nothing => false,
        };
        let entry = Entry { item, bytes: size };
        let refused = if is_taken {
            lanes.push(entry).err()
        } else {
            Some(entry)
        };
        if let Some(entry) = refused {
            items.fetch_sub(1, Ordering::Relaxed);
            bytes.fetch_sub(size, Ordering::Relaxed);
            return Err(entry.item);
        }
        if waiting == 0 || waiting + 1 == limits.batch {
            wake.notify_one();
        }
        Ok(())
    }
}

impl Producer {
    /// Whether the queue has room for this number of items with this number of bytes in total.
    pub(crate) fn has_room(&self, items: usize, bytes: usize) -> bool {
        let waiting = self.waiting().saturating_add(items.saturating_sub(1));
        let bytes = self
            .shared
            .bytes
            .load(Ordering::Relaxed)
            .saturating_add(bytes);
        self.shared.limits.room(waiting, bytes) == RoomFor::All
    }

    /// The number of waiting items.
    pub(crate) fn waiting(&self) -> usize {
        self.shared.items.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum RoomFor {
    All,
    Failures,
    Nothing,
}

impl QueueLimits {
    /// The kinds of items for which the queue has room, given the waiting items and their bytes.
    fn room(&self, items: usize, bytes: usize) -> RoomFor {
        let kept = |limit: usize| limit - limit / RESERVE;
        if items < kept(self.items) && bytes <= kept(self.bytes) {
            RoomFor::All
        } else if items < self.items && bytes <= self.bytes {
            RoomFor::Failures
        } else {
            RoomFor::Nothing
        }
    }
}

/// The worker's end of the queue. Without it, the queue refuses items.
#[derive(Debug, Clone)]
pub(crate) struct Consumer {
    gathered: Arc<Gathered>,
    shared: Arc<Shared>,
}

/// Waiting items that have left their lanes.
#[derive(Debug)]
struct Gathered {
    entries: Mutex<VecDeque<Entry>>,
    shared: Arc<Shared>,
}

impl Consumer {
    /// The number of waiting items.
    ///
    /// A producer counts its item before it adds the item. Therefore [`take`](Self::take) may return nothing although
    /// the number is positive. An item is never left behind at zero: the producer that adds one after a zero wakes the
    /// worker.
    pub(crate) fn len(&self) -> usize {
        self.shared.items.load(Ordering::Acquire)
    }

    /// Puts the items that wait now before all later ones, and returns their number.
    pub(crate) fn gather(&self) -> usize {
        let mut gathered = self.gathered.entries();
        self.shared
            .lanes
            .take_all(|entry| gathered.push_back(entry));
        gathered.len()
    }

    /// The bytes of waiting items, and of taken items that still exist.
    pub(crate) fn bytes(&self) -> usize {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// The number of waiting items that are sent without further delay.
    pub(crate) fn batch(&self) -> usize {
        self.shared.limits.batch
    }

    /// Moves at most `max` items into `taken`.
    pub(crate) fn take(&self, max: usize, taken: &mut Vec<Taken>) {
        self.gather();
        let mut gathered = self.gathered.entries();
        let most = gathered.len().min(max);
        taken.extend(gathered.drain(..most).map(|Entry { item, bytes }| Taken {
            item,
            _room: Some(Room {
                shared: self.shared.clone(),
                bytes,
            }),
        }));
        if gathered.is_empty() {
            gathered.shrink_to(KEPT_CAPACITY);
        }
        self.shared.items.fetch_sub(most, Ordering::AcqRel);
    }

    /// Passes the remaining items to `see`, drops them, and refuses further ones. Returns the number of dropped items.
    pub(crate) fn close(&self, mut see: impl FnMut(&Item)) -> usize {
        self.gathered.close();
        let mut rest = Vec::new();
        self.take(usize::MAX, &mut rest);
        rest.iter().for_each(|taken| see(&taken.item));
        rest.len()
    }

    /// Waits for the first item, or for a full batch.
    ///
    /// It may also return spuriously. Cancel safe.
    pub(crate) fn woken(&self) -> impl Future<Output = ()> + use<> {
        let shared = self.shared.clone();
        async move { shared.wake.notified().await }
    }
}

impl Gathered {
    fn entries(&self) -> MutexGuard<'_, VecDeque<Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gathers the items, and refuses further ones.
    fn close(&self) {
        let mut entries = self.entries();
        self.shared.lanes.close(|entry| entries.push_back(entry));
    }
}

impl Drop for Gathered {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::fixtures::span;

    const LIMITS: QueueLimits = QueueLimits {
        items: 3,
        bytes: 1 << 20,
        batch: 2,
    };

    fn taken(consumer: &Consumer, max: usize) -> Vec<String> {
        let mut batch = Vec::new();
        consumer.take(max, &mut batch);
        batch
            .into_iter()
            .map(|taken| match taken.item {
                Item::Span(span) => span.data().name.clone().into_owned(),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn spans_come_out_in_the_order_in_which_they_went_in() {
        let (producer, consumer) = queue(LIMITS);
        for name in ["a", "b", "c"] {
            assert!(producer.push(span(name)).is_ok());
        }
        assert_eq!(taken(&consumer, 2), ["a", "b"]);
        assert_eq!(taken(&consumer, 2), ["c"]);
        assert_eq!(consumer.len(), 0);
    }

    #[test]
    fn a_full_queue_refuses_the_newest_and_takes_more_when_there_is_room() {
        let (producer, consumer) = queue(LIMITS);
        let accepted: Vec<bool> = (0..5).map(|_| producer.push(span("x")).is_ok()).collect();
        assert_eq!(accepted, [true, true, true, false, false]);
        assert_eq!(consumer.len(), 3);
        taken(&consumer, 1);
        assert!(producer.push(span("y")).is_ok());
        assert!(producer.push(span("z")).is_err());
    }

    #[test]
    fn bytes_are_limited_too() {
        let (producer, consumer) = queue(QueueLimits {
            bytes: 4_000,
            ..LIMITS
        });
        let large = || {
            let mut span = span("large");
            span.attributes
                .push(opentelemetry::KeyValue::new("k", "v".repeat(3_000)));
            span
        };
        assert!(producer.push(large()).is_ok());
        assert!(producer.push(large()).is_err());
        taken(&consumer, 1);
        assert!(producer.push(large()).is_ok());
    }

    #[test]
    fn a_queue_without_its_consumer_refuses() {
        let (producer, consumer) = queue(LIMITS);
        drop(consumer);
        assert!(producer.push(span("x")).is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_worker_is_woken_by_the_first_span_and_by_a_full_batch() {
        let (producer, consumer) = queue(LIMITS);
        async fn woken(consumer: &Consumer) -> bool {
            tokio::time::timeout(Duration::from_secs(1), consumer.woken())
                .await
                .is_ok()
        }
        assert!(!woken(&consumer).await);
        producer.push(span("first")).unwrap();
        assert!(woken(&consumer).await);
        producer.push(span("fills the batch")).unwrap();
        assert!(woken(&consumer).await);
        assert!(consumer.len() >= consumer.batch());
        producer.push(span("one more")).unwrap();
        assert!(!woken(&consumer).await);
        taken(&consumer, 3);
        producer.push(span("first again")).unwrap();
        assert!(woken(&consumer).await);
    }

    #[test]
    fn the_last_eighth_is_kept_for_failures() {
        let (producer, consumer) = queue(QueueLimits {
            items: 16,
            ..LIMITS
        });
        let accepted = (0..20).filter(|_| producer.push(span("x")).is_ok());
        assert_eq!(accepted.count(), 14);
        let failed = || {
            let mut span = span("failed");
            span.status = opentelemetry::trace::Status::error("no");
            span
        };
        assert!(producer.push(failed()).is_ok());
        assert!(producer.push(span("x")).is_err());
        assert!(producer.push(failed()).is_ok());
        assert!(producer.push(failed()).is_err());
        assert_eq!(consumer.len(), 16);
    }

    #[test]
    fn what_was_taken_keeps_its_room_until_it_is_dropped() {
        let (producer, consumer) = queue(LIMITS);
        producer.push(span("x")).unwrap();
        let mut held = Vec::new();
        consumer.take(1, &mut held);
        assert!(consumer.len() == 0 && consumer.bytes() > 0);
        drop(held);
        assert_eq!(consumer.bytes(), 0);
    }

    #[test]
    fn gathered_items_come_before_those_that_other_threads_add_later() {
        let (producer, consumer) = queue(QueueLimits {
            items: 100,
            ..LIMITS
        });
        let push_on_another_thread = |name: &'static str| {
            std::thread::scope(|scope| {
                scope.spawn(|| producer.push(span(name)).unwrap());
            });
        };
        // The number of lanes is smaller, so some of the later items are in lanes before those of the earlier ones.
        (0..20).for_each(|_| push_on_another_thread("early"));
        assert_eq!(consumer.gather(), 20);
        (0..20).for_each(|_| push_on_another_thread("late"));
        assert_eq!(taken(&consumer, 20), vec!["early"; 20]);
        assert_eq!(taken(&consumer, usize::MAX), vec!["late"; 20]);
    }

    #[test]
    fn a_closed_queue_has_shown_everything_and_refuses_more() {
        let (producer, consumer) = queue(LIMITS);
        producer.push(span("x")).unwrap();
        producer.push(span("y")).unwrap();
        let mut seen = 0;
        assert_eq!(consumer.close(|_| seen += 1), 2);
        assert_eq!(seen, 2);
        assert!(producer.push(span("z")).is_err());
        assert_eq!((consumer.len(), consumer.bytes()), (0, 0));
    }
}
