use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use tokio::sync::Notify;

use crate::item::Item;

/// How much may wait.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueLimits {
    pub(crate) items: usize,
    pub(crate) bytes: usize,
    /// How many waiting items wake the worker before its delay is over.
    pub(crate) batch: usize,
}

/// Makes a queue of many producers and one consumer.
pub(crate) fn queue(limits: QueueLimits) -> (Producer, Consumer) {
    let (sender, receiver) = channel();
    let shared = Arc::new(Shared {
        limits,
        items: AtomicUsize::new(0),
        bytes: AtomicUsize::new(0),
        wake: Notify::new(),
    });
    (
        Producer {
            sender,
            shared: shared.clone(),
        },
        Consumer { receiver, shared },
    )
}

#[derive(Debug)]
struct Shared {
    limits: QueueLimits,
    items: AtomicUsize,
    bytes: AtomicUsize,
    wake: Notify,
}

#[derive(Debug)]
struct Entry {
    item: Item,
    bytes: usize,
}

/// The end where requests put their items.
#[derive(Debug, Clone)]
pub(crate) struct Producer {
    sender: Sender<Entry>,
    shared: Arc<Shared>,
}

impl Producer {
    /// Adds an item, or gives it back when there is no room for it.
    pub(crate) fn push(&self, item: impl Into<Item>) -> Result<(), Item> {
        let item = item.into();
        let Shared {
            limits,
            items,
            bytes,
            wake,
        } = &*self.shared;
        let size = item.size();
        let waiting = items.fetch_add(1, Ordering::Relaxed);
        let waiting_bytes = bytes.fetch_add(size, Ordering::Relaxed);
        let room = waiting < limits.items && waiting_bytes.saturating_add(size) <= limits.bytes;
        let entry = Entry { item, bytes: size };
        let refused = match room {
            true => self.sender.send(entry).map_err(|error| error.0).err(),
            false => Some(entry),
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

/// The end where the worker takes them.
#[derive(Debug)]
pub(crate) struct Consumer {
    receiver: Receiver<Entry>,
    shared: Arc<Shared>,
}

impl Consumer {
    /// How many items wait.
    ///
    /// A producer counts its item before it adds it, so a positive number can be followed by an empty
    /// [`take`](Self::take), but no item is ever left behind a zero: whoever adds one after a zero wakes the worker.
    pub(crate) fn len(&self) -> usize {
        self.shared.items.load(Ordering::Acquire)
    }

    /// Whether as many wait as fill a batch.
    pub(crate) fn fills_a_batch(&self) -> bool {
        self.len() >= self.shared.limits.batch
    }

    /// Moves at most `max` items into `batch`.
    pub(crate) fn take(&self, max: usize, batch: &mut Vec<Item>) {
        let before = batch.len();
        let mut bytes = 0;
        batch.extend(self.receiver.try_iter().take(max).map(|entry| {
            bytes += entry.bytes;
            entry.item
        }));
        self.shared.bytes.fetch_sub(bytes, Ordering::Relaxed);
        self.shared
            .items
            .fetch_sub(batch.len() - before, Ordering::AcqRel);
    }

    /// Waits until the first item comes, or as many as fill a batch.
    ///
    /// It may also return for no reason. Cancel safe.
    pub(crate) fn woken(&self) -> impl Future<Output = ()> + use<> {
        let shared = self.shared.clone();
        async move { shared.wake.notified().await }
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
            .map(|item| match item {
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
        assert!(consumer.fills_a_batch());
        producer.push(span("one more")).unwrap();
        assert!(!woken(&consumer).await);
        taken(&consumer, 3);
        producer.push(span("first again")).unwrap();
        assert!(woken(&consumer).await);
    }
}
