//! Workers that several exporters share: one per endpoint, with one transport, one circuit and one storage.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::{BuildErrorKind, Undelivered};
use crate::item::{DroppedItems, Item};
use crate::mapping::Mapper;
use crate::pipeline::WorkerBuilder;
use crate::telemetry_processor::TelemetryProcessors;
use crate::transmission::{SourceId, WorkerHandle};

/// The running workers of exporters.
static WORKERS: Mutex<Option<HashMap<String, Weak<SharedWorker>>>> = Mutex::new(None);

/// A worker and the number of its exporters.
#[derive(Debug)]
struct SharedWorker {
    handle: WorkerHandle,
    users: AtomicUsize,
}

/// An exporter's place at a worker.
#[derive(Debug)]
pub(super) struct Seat {
    worker: Arc<SharedWorker>,
    source: SourceId,
    is_closed: std::sync::atomic::AtomicBool,
}

impl Seat {
    /// Joins the worker of `key`, or starts it. A worker with its own transport is never shared.
    pub(super) fn take(
        key: String,
        mut builder: WorkerBuilder<'_>,
    ) -> Result<Self, BuildErrorKind> {
        let processors = std::mem::take(&mut builder.processors);
        let is_shared = builder.transport.is_none();
        let mut workers = WORKERS.lock().unwrap_or_else(PoisonError::into_inner);
        let workers = workers.get_or_insert_default();
        workers.retain(|_, worker| worker.strong_count() > 0);
        let known = workers.get(&key).and_then(Weak::upgrade);
        let known = known.filter(|worker| is_shared && worker.join());
        let worker = match known {
            Some(worker) => worker,
            None => {
                let (_, handle) = builder.start()?;
                let worker = Arc::new(SharedWorker {
                    handle,
                    users: AtomicUsize::new(1),
                });
                if is_shared {
                    workers.insert(key, Arc::downgrade(&worker));
                }
                worker
            }
        };
        Ok(Self::at(worker, processors))
    }

    fn at(worker: Arc<SharedWorker>, processors: TelemetryProcessors) -> Self {
        let source = SourceId::next();
        // A worker that has ended drops and counts the items it receives.
        let _ = worker.handle.open(source, processors);
        Self {
            worker,
            source,
            is_closed: false.into(),
        }
    }

    pub(super) fn handle(&self) -> &WorkerHandle {
        &self.worker.handle
    }

    pub(super) fn dropped_items(&self) -> Vec<DroppedItems> {
        self.handle().counters().dropped().collect()
    }

    pub(super) async fn export(
        &self,
        mapper: Arc<Mapper>,
        items: Vec<Item>,
    ) -> Result<(), Undelivered> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(Undelivered::AlreadyShutDown);
        }
        self.handle().export(self.source, mapper, items).await
    }

    /// Ends the exporter; the last exporter ends the worker.
    pub(super) fn shutdown(&self, timeout: Duration) -> Result<(), Undelivered> {
        if self.is_closed.swap(true, Ordering::Relaxed) {
            return Err(Undelivered::AlreadyShutDown);
        }
        let start = Instant::now();
        if self.worker.leave() {
            return self.handle().shutdown(timeout);
        }
        let delivery = self.handle().flush(timeout.saturating_sub(start.elapsed()));
        self.handle().forget(self.source);
        delivery
    }
}

impl Drop for Seat {
    /// The worker ends once its last handle is dropped.
    fn drop(&mut self) {
        if !self.is_closed.swap(true, Ordering::Relaxed) {
            self.worker.leave();
            self.handle().forget(self.source);
        }
    }
}

impl SharedWorker {
    /// Adds a user, unless the last one has left.
    fn join(&self) -> bool {
        let more = |users| (users > 0).then(|| users + 1);
        let joined = self
            .users
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, more);
        joined.is_ok() && self.handle.is_alive()
    }

    /// Removes a user; true if it was the last.
    fn leave(&self) -> bool {
        self.users.fetch_sub(1, Ordering::AcqRel) == 1
    }
}
