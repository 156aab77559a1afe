//! The worker's view of the storage: the batches on disk, and the pending file operations.
//!
//! All input and output happens on another thread, one job at a time, so the worker's loop never waits for it.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::Instant;

use crate::item::{ItemCounters, LabelCounts};
use crate::storage::{self, FileName, Header, Operation, Outcome, Shelf, StorageSettings};
use crate::transmission::batch::Batch;

/// Interval of the search for batches of ended processes and for expired batches.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);

/// The batches on disk.
#[derive(Debug)]
pub(super) struct Disk {
    pub(super) settings: StorageSettings,
    /// `None` until the directory is open.
    pub(super) shelf: Option<Arc<Shelf>>,
    /// The end of the pause after a failure; nothing is written until then.
    pub(super) off_until: Option<Instant>,
    pub(super) has_warned: bool,
    pub(super) entries: BTreeMap<FileName, Stored>,
    pub(super) bytes: u64,
    /// Number of batches that were read and wait in memory to be sent.
    pub(super) drained: usize,
    /// Batches that are being written, and their next step.
    pub(super) writing: HashMap<FileName, Writing>,
    pub(super) queue: Vec<Operation>,
    /// Files that could not be removed.
    pub(super) unremoved: Vec<FileName>,
    job: Option<JoinHandle<Done>>,
    next_number: u64,
    tidied: Option<Instant>,
    pub(super) counters: Arc<ItemCounters>,
    /// Counts the items that earlier processes left.
    pub(super) recovered: Arc<ItemCounters>,
}

#[derive(Debug)]
enum Done {
    Opened(io::Result<Shelf>),
    Performed(Vec<Outcome>),
}

/// A batch on disk.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) bytes: u64,
    /// `None` for a batch of another process that was not read yet.
    pub(super) counts: Option<LabelCounts>,
    pub(super) attempts: u32,
    pub(super) not_before: Option<Instant>,
    pub(super) failed_after: Option<u64>,
    pub(super) made: Instant,
    pub(super) is_recovered: bool,
    pub(super) place: Place,
}

/// The location of a batch besides the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    DiskAlone,
    /// In memory since it was made.
    Fresh,
    /// In memory since it was read, or about to be read.
    Drained,
}

#[derive(Debug)]
pub(super) struct Writing {
    pub(super) batch: Batch,
    pub(super) then: Then,
}

/// The next step of a written batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    /// Send it at once: durable mode.
    Send,
    /// Read it again once the endpoint is available.
    Wait,
}

/// A result for the batches on disk.
#[derive(Debug)]
pub(super) enum Event {
    /// The batch is on disk, and in memory to be sent.
    Written(Batch),
    /// The batch is on disk only.
    Shelved { size: usize },
    /// The batch could not be written.
    Failed(Batch),
    /// The batch was read, to be sent.
    Read(Batch),
}

impl Disk {
    pub(super) fn new(
        settings: StorageSettings,
        counters: Arc<ItemCounters>,
        recovered: Arc<ItemCounters>,
    ) -> Self {
        Self {
            settings,
            shelf: None,
            off_until: None,
            has_warned: false,
            entries: BTreeMap::new(),
            bytes: 0,
            drained: 0,
            writing: HashMap::new(),
            queue: Vec::new(),
            unremoved: Vec::new(),
            job: None,
            next_number: 0,
            tidied: None,
            counters,
            recovered,
        }
    }

    /// Whether batches can be written at `now`.
    pub(super) fn is_on(&self, now: Instant) -> bool {
        self.settings.directory.is_some() && self.off_until.is_none_or(|time| time <= now)
    }

    pub(super) fn is_durable(&self, now: Instant) -> bool {
        self.settings.is_durable && self.is_on(now)
    }

    pub(super) fn max_age(&self) -> Duration {
        self.settings.max_age
    }

    /// Total size of the files, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Number of batches on disk.
    pub(super) fn batches(&self) -> usize {
        self.entries.len()
    }

    /// The numbers of the batches that are being written.
    pub(super) fn writing(&self) -> impl Iterator<Item = u64> {
        self.writing.values().map(|writing| writing.batch.number)
    }

    /// Whether operations are pending or running.
    pub(super) fn is_busy(&self) -> bool {
        self.job.is_some() || !self.queue.is_empty() || !self.writing.is_empty()
    }

    /// Returns the batches that are not written yet, at the end.
    pub(super) fn take_writing(&mut self) -> Vec<Batch> {
        let writing = self.writing.drain();
        writing.map(|(_, writing)| writing.batch).collect()
    }

    /// Number of batches that were read and wait in memory to be sent.
    pub(super) fn drained(&self) -> usize {
        self.drained
    }

    /// Writes a batch that is in no file. It belongs to the disk until an event returns it.
    pub(super) fn write(&mut self, batch: Batch, then: Then) {
        let Some(shelf) = &self.shelf else {
            // The batch gets its name once the owner is known.
            let name = FileName::new(
                storage::milliseconds(batch.created),
                "-",
                self.number(),
                batch.items(),
            );
            self.writing.insert(name, Writing { batch, then });
            return;
        };
        let owner = shelf.owner().to_owned();
        self.enqueue(batch, then, &owner);
    }

    fn enqueue(&mut self, batch: Batch, then: Then, owner: &str) {
        let name = FileName::new(
            storage::milliseconds(batch.created),
            owner,
            self.number(),
            batch.items(),
        );
        let header = Header {
            created: batch.created,
            labels: batch.labels.clone(),
        };
        let content = storage::encode(&header, &batch.body);
        self.queue.push(Operation::Write(name.clone(), content));
        self.writing.insert(name, Writing { batch, then });
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// Leaves a batch on disk, where it already is, and forgets its body.
    pub(super) fn shelve(&mut self, batch: &Batch) {
        let Some(stored) = batch
            .file
            .as_ref()
            .and_then(|name| self.entries.get_mut(name))
        else {
            return;
        };
        self.drained -= usize::from(stored.place == Place::Drained);
        stored.place = Place::DiskAlone;
        stored.attempts = batch.attempts;
        stored.not_before = batch.not_before;
        stored.failed_after = batch.failed_after;
        let labels = batch.labels.iter().copied();
        counters(batch.is_recovered, &self.counters, &self.recovered).stored(labels);
    }

    /// Removes the file of a batch that is settled or was replaced by its parts.
    pub(super) fn remove(&mut self, batch: &Batch) {
        if let Some(name) = &batch.file {
            self.forget(name);
            self.queue.push(Operation::Remove(name.clone()));
        }
    }

    pub(super) fn forget(&mut self, name: &FileName) -> Option<Stored> {
        let stored = self.entries.remove(name)?;
        self.bytes = self.bytes.saturating_sub(stored.bytes);
        self.drained -= usize::from(stored.place == Place::Drained);
        Some(stored)
    }

    /// Reads the oldest batch that may be sent at `now`; true if one exists.
    pub(super) fn read_next(&mut self, now: Instant, is_probe: bool) -> bool {
        let mut due = self
            .entries
            .iter_mut()
            .filter(|(_, stored)| stored.is_due(now));
        let next = if is_probe {
            due.min_by_key(|(_, stored)| stored.attempts)
        } else {
            due.next()
        };
        let Some((name, stored)) = next else {
            return false;
        };
        stored.place = Place::Drained;
        self.drained += 1;
        self.queue.push(Operation::Read(name.clone()));
        true
    }

    /// Ends the pauses of all batches.
    pub(super) fn end_pauses(&mut self) {
        for stored in self.entries.values_mut() {
            stored.not_before = None;
        }
    }

    /// The end of the next pause of a batch on disk.
    pub(super) fn next_retry(&self) -> Option<Instant> {
        let waiting = self.entries.values();
        let waiting = waiting.filter(|stored| stored.place == Place::DiskAlone);
        waiting.filter_map(|stored| stored.not_before).min()
    }

    /// Whether a batch on disk may be sent at `now`.
    pub(super) fn has_due(&self, now: Instant) -> bool {
        self.entries.values().any(|stored| stored.is_due(now))
    }

    /// The time at which files are examined again, or storage is retried.
    pub(super) fn next_tidying(&self) -> Option<Instant> {
        self.settings.directory.as_ref()?;
        match self.tidied.filter(|_| self.shelf.is_some()) {
            Some(last) => Some(last + TIDY_INTERVAL),
            None => self.off_until,
        }
    }

    /// Starts the next job, if none is running.
    pub(super) fn pump(&mut self, now: Instant) {
        if self.job.is_some() {
            return;
        }
        let Some(shelf) = self.shelf.clone() else {
            if self.is_on(now)
                && let Some(root) = self.settings.directory.clone()
            {
                let files = self.settings.files.clone();
                self.job = Some(spawn_blocking(move || {
                    Done::Opened(Shelf::open(files, root))
                }));
            }
            return;
        };
        if self.tidied.is_none_or(|last| now >= last + TIDY_INTERVAL) {
            self.tidied = Some(now);
            self.queue.push(Operation::Adopt);
            let unremoved = std::mem::take(&mut self.unremoved);
            self.queue
                .extend(unremoved.into_iter().map(Operation::Remove));
            self.drop_expired(now);
        }
        if !self.queue.is_empty() {
            let operations = std::mem::take(&mut self.queue);
            self.job = Some(spawn_blocking(move || {
                Done::Performed(shelf.perform(operations))
            }));
        }
    }

    /// Waits for the running job. Pending if none is running. Cancel safe.
    pub(super) async fn finished(&mut self) -> Vec<Event> {
        let Some(job) = &mut self.job else {
            return std::future::pending().await;
        };
        let done = job.await;
        self.job = None;
        let now = Instant::now();
        match done {
            Ok(Done::Opened(Ok(shelf))) => self.opened(shelf),
            Ok(Done::Opened(Err(error))) => self.fail(&error, now),
            Ok(Done::Performed(outcomes)) => self.apply(outcomes, now),
            Err(error) => self.fail(&io::Error::other(error), now),
        }
    }

    fn opened(&mut self, shelf: Shelf) -> Vec<Event> {
        let owner = shelf.owner().to_owned();
        self.shelf = Some(Arc::new(shelf));
        let waiting = std::mem::take(&mut self.writing);
        for writing in waiting.into_values() {
            self.enqueue(writing.batch, writing.then, &owner);
        }
        Vec::new()
    }
}

impl Stored {
    fn is_due(&self, now: Instant) -> bool {
        self.place == Place::DiskAlone && self.not_before.is_none_or(|time| time <= now)
    }
}

pub(super) fn counters<'a>(
    is_recovered: bool,
    own: &'a ItemCounters,
    recovered: &'a ItemCounters,
) -> &'a ItemCounters {
    if is_recovered { recovered } else { own }
}
