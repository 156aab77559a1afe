//! The handle of a worker, and the state that both share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use opentelemetry::otel_warn;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::error::Undelivered;
use crate::item::{Consumer, DropReason, Item, ItemCounters, Signal, SignalReport};
use crate::mapping::Mapper;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{Status, TelemetryStatistics};

/// A day: a longer timeout means "no limit", and an instant that far away can be represented.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(24 * 60 * 60);
/// The fraction of a shutdown's timeout that is reserved for the worker's answer.
const ANSWER_SHARE: u32 = 4;
/// Maximum of this reserve.
const MAX_ANSWER_TIME: Duration = Duration::from_millis(100);
/// Maximum size of exported items that are not encoded, in bytes.
const MAX_EXPORTED: usize = 64 << 20;

/// The result of a delivery.
pub(crate) type Delivery = Result<(), Undelivered>;

/// Receives the result of a delivery.
pub(super) type DeliveryCallback = Box<dyn FnOnce(Delivery) + Send>;

/// The source of items: the queue, or one of several exporters that share a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SourceId(u64);

impl SourceId {
    /// The queue.
    pub(crate) const MAIN: Self = Self(0);

    /// A new source.
    pub(crate) fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

pub(super) enum Command {
    /// Makes an encoder for a source.
    Open {
        source: SourceId,
        processors: TelemetryProcessors,
    },
    /// Removes a source.
    Forget { source: SourceId },
    /// Sends these items now, in addition to those of the queue.
    Export {
        source: SourceId,
        mapper: Arc<Mapper>,
        items: Vec<Item>,
        reserved: usize,
        callback: DeliveryCallback,
    },
    /// Sends all waiting items now.
    Flush { callback: DeliveryCallback },
    /// Sends as many items as possible before the deadline, and ends the worker.
    Shutdown {
        deadline: Instant,
        callback: DeliveryCallback,
    },
}

/// The state that a worker and its handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) counters: Arc<ItemCounters>,
    /// Counts the items that earlier processes left on disk.
    pub(super) recovered: Arc<ItemCounters>,
    pub(super) status: Arc<Status>,
    queue: Consumer,
    closed: [AtomicBool; Signal::ALL.len()],
    is_shut_down: AtomicBool,
    has_ended: AtomicBool,
    exported: AtomicUsize,
    process: u32,
}

impl Shared {
    pub(super) fn new(queue: Consumer) -> Self {
        Self {
            counters: Arc::default(),
            recovered: Arc::default(),
            status: Arc::default(),
            queue,
            closed: Default::default(),
            is_shut_down: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            exported: AtomicUsize::new(0),
            process: std::process::id(),
        }
    }

    /// Releases the reserved size of exported items.
    pub(super) fn release(&self, bytes: usize) {
        self.exported.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Notes the end of the worker; true for the first call.
    pub(super) fn ended(&self) -> bool {
        let is_new = !self.has_ended.swap(true, Ordering::AcqRel);
        self.drop_queue();
        is_new
    }

    /// Counts the items left in the queue as dropped, and closes it.
    pub(super) fn drop_queue(&self) -> usize {
        self.queue.close(|item| {
            self.counters.count(DropReason::Shutdown, item.label(), 1);
        })
    }

    fn reserve(&self, bytes: usize) -> bool {
        let before = self.exported.fetch_add(bytes, Ordering::Relaxed);
        let has_room = before == 0 || before.saturating_add(bytes) <= MAX_EXPORTED;
        if !has_room {
            self.release(bytes);
        }
        has_room
    }

    fn is_forked(&self) -> bool {
        self.process != std::process::id()
    }
}

/// The handle of a worker.
#[derive(Clone)]
pub(crate) struct WorkerHandle {
    commands: UnboundedSender<Command>,
    shared: Arc<Shared>,
}

impl WorkerHandle {
    /// Makes a handle, and the receiver of its commands for the worker.
    pub(super) fn new(shared: Arc<Shared>) -> (Self, UnboundedReceiver<Command>) {
        let (commands, receiver) = unbounded_channel();
        (Self { commands, shared }, receiver)
    }

    pub(crate) fn counters(&self) -> &ItemCounters {
        &self.shared.counters
    }

    /// Whether a signal is shut down.
    pub(crate) fn is_closed(&self, signal: Signal) -> bool {
        self.shared.closed[signal as usize].load(Ordering::Relaxed)
    }

    /// Whether [`shutdown`](Self::shutdown) was called.
    pub(crate) fn is_shut_down(&self) -> bool {
        self.shared.is_shut_down.load(Ordering::Relaxed)
    }

    /// Whether the worker can take items: its thread is alive and belongs to this process.
    pub(crate) fn is_alive(&self) -> bool {
        !self.shared.has_ended.load(Ordering::Relaxed) && !self.shared.is_forked()
    }

    /// The state of delivery.
    pub(crate) fn statistics(&self) -> TelemetryStatistics {
        let Shared {
            counters,
            recovered,
            status,
            queue,
            ..
        } = &*self.shared;
        let status = status.get();
        let of_all = |counters: &ItemCounters| {
            let reports = Signal::ALL.map(|signal| counters.report(signal));
            reports
                .into_iter()
                .fold(Default::default(), |mut sum: SignalReport, report| {
                    sum.sent += report.sent;
                    sum.stored += report.stored;
                    sum.dropped += report.dropped;
                    sum
                })
        };
        TelemetryStatistics {
            traces: counters.report(Signal::Traces),
            logs: counters.report(Signal::Logs),
            metrics: counters.report(Signal::Metrics),
            recovered: of_all(recovered),
            dropped: counters.dropped().collect(),
            queue_items: queue.len(),
            queue_bytes: queue.bytes(),
            open_items: counters.open(),
            memory_bytes: status.memory_bytes,
            disk_bytes: status.disk_bytes,
            disk_batches: status.disk_batches,
            circuit: status.circuit,
            last_error: status.last_error,
            last_success: status.last_success,
        }
    }

    /// Registers a source of items.
    pub(crate) fn open(&self, source: SourceId, processors: TelemetryProcessors) -> Delivery {
        self.send(Command::Open { source, processors })
    }

    /// Removes a source.
    pub(crate) fn forget(&self, source: SourceId) {
        // A worker that has ended has no sources.
        let _ = self.send(Command::Forget { source });
    }

    /// Sends items without the queue, and waits until the service has accepted them or they are on disk.
    ///
    /// It works in any executor. Cancelling stops the wait, not the sending. Items without room are dropped and
    /// counted.
    pub(crate) async fn export(
        &self,
        source: SourceId,
        mapper: Arc<Mapper>,
        items: Vec<Item>,
    ) -> Delivery {
        let count_all = |reason| {
            for item in &items {
                self.counters().count(reason, item.label(), 1);
            }
        };
        if self.is_shut_down() || !self.is_alive() {
            count_all(DropReason::Shutdown);
            return Err(self.gone());
        }
        let reserved = items.iter().map(Item::size).sum();
        if !self.shared.reserve(reserved) {
            count_all(DropReason::QueueFull);
            return Err(Undelivered::Dropped(items.len()));
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let callback: DeliveryCallback = Box::new(|delivery| drop(sender.send(delivery)));
        self.send(Command::Export {
            source,
            mapper,
            items,
            reserved,
            callback,
        })?;
        receiver.await.unwrap_or(Err(Undelivered::AlreadyShutDown))
    }

    /// Sends all waiting items, and waits until the service has accepted them or they are on disk.
    pub(crate) fn flush(&self, timeout: Duration) -> Delivery {
        if self.is_shut_down() || !self.is_alive() {
            return Err(self.gone());
        }
        self.wait(timeout, |callback| Command::Flush { callback })
    }

    /// Refuses further items of a signal, and flushes. The worker continues for the other signals.
    pub(crate) fn close(&self, signal: Signal, timeout: Duration) -> Delivery {
        if self.shared.closed[signal as usize].swap(true, Ordering::Relaxed) {
            return Err(Undelivered::AlreadyShutDown);
        }
        match self.flush(timeout) {
            Err(Undelivered::AlreadyShutDown) => Ok(()),
            delivery => delivery,
        }
    }

    /// Refuses further items, sends as many as possible and stores the others within `timeout`, and ends the worker.
    ///
    /// It returns within `timeout`, even if the network, the disk or a processor hangs.
    pub(crate) fn shutdown(&self, timeout: Duration) -> Delivery {
        let Shared {
            closed,
            is_shut_down,
            ..
        } = &*self.shared;
        if is_shut_down.swap(true, Ordering::Relaxed) {
            return Err(Undelivered::AlreadyShutDown);
        }
        closed
            .iter()
            .for_each(|closed| closed.store(true, Ordering::Relaxed));
        if self.shared.is_forked() {
            return Err(Undelivered::Forked);
        }
        let timeout = timeout.min(LONGEST_SHUTDOWN);
        let answer_time = (timeout / ANSWER_SHARE).min(MAX_ANSWER_TIME);
        let deadline = Instant::now() + (timeout - answer_time);
        let delivery = self.wait(timeout, |callback| Command::Shutdown { deadline, callback });
        if matches!(delivery, Err(Undelivered::Timeout(_))) {
            // A processor or the disk blocks the worker. Its further actions are not counted.
            self.shared.has_ended.store(true, Ordering::Release);
            self.shared.drop_queue();
            self.counters().abandon();
            otel_warn!(name: "Worker.Abandoned", reason = "a processor or the disk held it beyond the timeout of the shutdown");
        }
        delivery
    }

    /// The asynchronous form of [`shutdown`](Self::shutdown), for tests with a paused clock.
    #[cfg(test)]
    pub(super) async fn shut_down(&self, timeout: Duration) -> Delivery {
        self.shared.is_shut_down.store(true, Ordering::Relaxed);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let deadline = Instant::now() + timeout;
        self.send(Command::Shutdown {
            deadline,
            callback: Box::new(|delivery| drop(sender.send(delivery))),
        })?;
        receiver.await.unwrap_or(Err(Undelivered::AlreadyShutDown))
    }

    fn gone(&self) -> Undelivered {
        if self.shared.is_forked() {
            Undelivered::Forked
        } else {
            Undelivered::AlreadyShutDown
        }
    }

    fn wait(
        &self,
        timeout: Duration,
        command: impl FnOnce(DeliveryCallback) -> Command,
    ) -> Delivery {
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.send(command(Box::new(move |delivery| {
            drop(sender.send(delivery))
        })))?;
        receiver.recv_timeout(timeout).unwrap_or_else(|error| {
            Err(match error {
                RecvTimeoutError::Timeout => Undelivered::Timeout(timeout),
                RecvTimeoutError::Disconnected => Undelivered::AlreadyShutDown,
            })
        })
    }

    fn send(&self, command: Command) -> Delivery {
        self.commands
            .send(command)
            .map_err(|_| Undelivered::AlreadyShutDown)
    }
}

impl fmt::Debug for WorkerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorkerHandle")
            .field("is_shut_down", &self.is_shut_down())
            .finish_non_exhaustive()
    }
}
