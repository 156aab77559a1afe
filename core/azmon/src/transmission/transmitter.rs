use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use opentelemetry_sdk::trace::SpanData;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use crate::error::Undelivered;
use crate::item::Item;
use crate::item::Losses;
use crate::mapping::Mapper;

/// What became of the items that somebody waits for.
pub(crate) type Delivery = Result<(), Undelivered>;

/// A day: longer is surely meant as "no limit", and an instant that far away can be computed.
const LONGEST_SHUTDOWN: Duration = Duration::from_secs(24 * 60 * 60);

/// Answers whoever waits for a delivery.
pub(super) type Answer = Box<dyn FnOnce(Delivery) + Send>;

pub(super) enum Command {
    /// Sends these items now, beside those of the queue.
    Export {
        mapper: Arc<Mapper>,
        items: Exported,
        answer: Answer,
    },
    /// Sends everything that waits now.
    Flush { answer: Answer },
    /// Sends what can be sent before the deadline, and ends.
    Shutdown { deadline: Instant, answer: Answer },
}

/// What an exporter was given.
#[derive(Debug)]
pub(crate) enum Exported {
    Spans(Vec<SpanData>),
    Items(Vec<Item>),
}

/// The handle of a worker.
#[derive(Debug, Clone)]
pub(crate) struct Transmitter {
    commands: UnboundedSender<Command>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    losses: Arc<Losses>,
    closed: AtomicBool,
}

impl Transmitter {
    /// Makes a handle, and the end at which its worker listens.
    pub(super) fn new(losses: Arc<Losses>) -> (Self, UnboundedReceiver<Command>) {
        let (commands, receiver) = unbounded_channel();
        let shared = Arc::new(Shared {
            losses,
            closed: AtomicBool::new(false),
        });
        (Self { commands, shared }, receiver)
    }

    pub(crate) fn losses(&self) -> &Losses {
        &self.shared.losses
    }

    /// Whether [`shutdown`](Self::shutdown) was called.
    pub(crate) fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Relaxed)
    }

    /// Sends items beside the queue, and waits for the answer of the service.
    ///
    /// Needs no particular executor. Cancelling stops the waiting, not the sending.
    pub(crate) async fn export(&self, mapper: Arc<Mapper>, items: Exported) -> Delivery {
        if self.is_closed() {
            return Err(Undelivered::AlreadyShutDown);
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let answer: Answer = Box::new(|delivery| drop(sender.send(delivery)));
        self.send(Command::Export {
            mapper,
            items,
            answer,
        })?;
        receiver.await.unwrap_or(Err(Undelivered::AlreadyShutDown))
    }

    /// Sends everything that waits, and waits for the answers of the service.
    pub(crate) fn flush(&self, timeout: Duration) -> Delivery {
        if self.is_closed() {
            return Err(Undelivered::AlreadyShutDown);
        }
        self.wait(timeout, |answer| Command::Flush { answer })
    }

    /// Takes nothing more, gives the network until `timeout`, and ends the worker.
    pub(crate) fn shutdown(&self, timeout: Duration) -> Delivery {
        if self.shared.closed.swap(true, Ordering::Relaxed) {
            return Err(Undelivered::AlreadyShutDown);
        }
        let timeout = timeout.min(LONGEST_SHUTDOWN);
        let deadline = Instant::now() + timeout;
        // The worker keeps the deadline; a little more lets its answer arrive.
        self.wait(timeout + Duration::from_millis(500), |answer| {
            Command::Shutdown { deadline, answer }
        })
    }

    fn wait(&self, timeout: Duration, command: impl FnOnce(Answer) -> Command) -> Delivery {
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
