//! The outcomes of file operations: which batches are on disk afterwards, and which are lost.

use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use opentelemetry::otel_warn;
use tokio::time::Instant;

use crate::item::{DropReason, TelemetryType};
use crate::storage::{self, FileName, Found, Operation, Outcome};
use crate::transmission::backoff;
use crate::transmission::batch::Batch;
use crate::transmission::disk::{Disk, Event, Place, Stored, Then, Writing, counters};

/// Pause of storage after a failure.
const OFF_TIME: Duration = Duration::from_secs(10 * 60);

impl Disk {
    pub(super) fn apply(&mut self, outcomes: Vec<Outcome>, now: Instant) -> Vec<Event> {
        let mut events = Vec::new();
        let mut failure = None;
        for outcome in outcomes {
            match outcome {
                Outcome::Written(name, Ok(())) => events.extend(self.written(name)),
                Outcome::Written(name, Err(error)) => {
                    let failed = self.writing.remove(&name);
                    events.extend(failed.map(|writing| Event::Failed(writing.batch)));
                    failure.get_or_insert(error);
                }
                Outcome::Read(name, content) => events.extend(self.read(name, content)),
                Outcome::Removed(name, Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                    // Otherwise the next process would send it again.
                    self.unremoved.push(name);
                    failure.get_or_insert(error);
                }
                Outcome::Removed(..) => {}
                Outcome::Adopted(found) => self.adopted(found, now),
            }
        }
        if let Some(error) = failure {
            events.extend(self.fail(&error, now));
        }
        self.make_room();
        events
    }

    fn written(&mut self, name: FileName) -> Option<Event> {
        let Writing { mut batch, then } = self.writing.remove(&name)?;
        let stored = Stored {
            bytes: batch.body.len() as u64,
            counts: Some(batch.labels.iter().copied().collect()),
            attempts: batch.attempts,
            not_before: batch.not_before,
            failed_after: batch.failed_after,
            made: batch.made,
            is_recovered: batch.is_recovered,
            place: match then {
                Then::Send => Place::Fresh,
                Then::Wait => Place::DiskAlone,
            },
        };
        self.bytes += stored.bytes;
        self.entries.insert(name.clone(), stored);
        batch.file = Some(name);
        Some(match then {
            Then::Send => Event::Written(batch),
            Then::Wait => {
                let labels = batch.labels.iter().copied();
                counters(batch.is_recovered, &self.counters, &self.recovered).stored(labels);
                Event::Shelved { size: batch.size() }
            }
        })
    }

    fn read(&mut self, name: FileName, content: io::Result<Bytes>) -> Option<Event> {
        let content = match content {
            Ok(content) => Some(content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.lost(&name, DropReason::StorageDamaged);
                return None;
            }
            Err(error) if error.kind() == io::ErrorKind::InvalidData => None,
            // The disk fails, but the file may be complete.
            Err(_) => {
                self.put_off(&name);
                return None;
            }
        };
        let batch = content
            .and_then(|content| storage::decode(&content))
            .map(|(header, body)| Batch {
                created: header.created,
                ..Batch::new(header.labels, body)
            })
            .filter(Batch::is_sound)
            .filter(|batch| self.is_as_written(&name, batch));
        let Some(mut batch) = batch else {
            self.lost(&name, DropReason::StorageDamaged);
            self.queue.push(Operation::SetAside(name));
            return None;
        };
        let stored = self.entries.get_mut(&name)?;
        batch.attempts = stored.attempts;
        batch.failed_after = stored.failed_after;
        batch.made = stored.made;
        batch.is_recovered = stored.is_recovered;
        batch.file = Some(name);
        let labels = batch.labels.iter().copied();
        let counters = counters(batch.is_recovered, &self.counters, &self.recovered);
        if stored.counts.is_some() {
            counters.reopened(labels);
        } else {
            stored.counts = Some(batch.labels.iter().copied().collect());
            counters.take(labels);
        }
        Some(Event::Read(batch))
    }

    /// Whether a batch has the items that this process counted when it wrote the batch.
    fn is_as_written(&self, name: &FileName, batch: &Batch) -> bool {
        let stored = self.entries.get(name);
        let counts = stored.and_then(|stored| stored.counts.as_ref());
        counts.is_none_or(|counts| *counts == batch.labels.iter().copied().collect())
    }

    /// Postpones a batch that cannot be read at the moment.
    fn put_off(&mut self, name: &FileName) {
        if let Some(stored) = self.entries.get_mut(name) {
            self.drained -= usize::from(stored.place == Place::Drained);
            stored.place = Place::DiskAlone;
            stored.attempts = stored.attempts.saturating_add(1);
            let pause = backoff::pause(stored.attempts, fastrand::f64());
            stored.not_before = Some(Instant::now() + pause);
        }
    }

    /// Forgets a batch whose file is gone, and counts its items.
    fn lost(&mut self, name: &FileName, reason: DropReason) {
        let Some(stored) = self.forget(name) else {
            return;
        };
        let counters = counters(stored.is_recovered, &self.counters, &self.recovered);
        match stored.counts {
            Some(counts) => counters.drop_stored(reason, &counts),
            // For a batch of another process, only the number of items is known.
            None => counters.count(
                reason,
                TelemetryType::Trace,
                name.items().unwrap_or_default() as usize,
            ),
        }
    }

    fn adopted(&mut self, found: Vec<Found>, now: Instant) {
        for Found { name, bytes } in found {
            let age = SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .unwrap_or_default()
                .saturating_sub(Duration::from_millis(name.created().unwrap_or_default()));
            let stored = Stored {
                bytes,
                counts: None,
                attempts: 0,
                not_before: None,
                failed_after: None,
                made: now.checked_sub(age).unwrap_or(now),
                is_recovered: true,
                place: Place::DiskAlone,
            };
            let is_new = self.entries.insert(name, stored).is_none();
            self.bytes += if is_new { bytes } else { 0 };
        }
        self.drop_expired(now);
    }

    /// Drops the oldest batches until the others are within the limits.
    pub(super) fn make_room(&mut self) {
        while self.bytes > self.settings.max_bytes || self.entries.len() > self.settings.max_files {
            let waiting = self
                .entries
                .iter()
                .find(|(_, stored)| stored.place == Place::DiskAlone);
            let Some(oldest) = waiting.map(|(name, _)| name.clone()) else {
                return;
            };
            self.give_up(oldest, DropReason::StorageFull);
        }
    }

    pub(super) fn drop_expired(&mut self, now: Instant) {
        let max_age = self.settings.max_age;
        let is_expired = |stored: &Stored| {
            stored.place == Place::DiskAlone && now.saturating_duration_since(stored.made) > max_age
        };
        let expired = self.entries.iter().filter(|(_, stored)| is_expired(stored));
        let expired: Vec<_> = expired.map(|(name, _)| name.clone()).collect();
        for name in expired {
            self.give_up(name, DropReason::Expired);
        }
    }

    fn give_up(&mut self, name: FileName, reason: DropReason) {
        self.lost(&name, reason);
        self.queue.push(Operation::Remove(name));
    }

    /// Pauses writing; batches wait in memory. Batches on disk can still be read.
    pub(super) fn fail(&mut self, error: &io::Error, now: Instant) -> Vec<Event> {
        if !std::mem::replace(&mut self.has_warned, true) {
            otel_warn!(
                name: "Storage.Off",
                error = error.to_string(),
                hint = "telemetry waits in memory; make the directory writable, or set another one with `storage(Storage::at(..))`"
            );
        }
        self.off_until = Some(now + OFF_TIME);
        if error.kind() == io::ErrorKind::NotFound {
            // The directory was removed. The next attempt creates it again.
            self.shelf = None;
            let names: Vec<_> = self.entries.keys().cloned().collect();
            for name in names {
                if self
                    .entries
                    .get(&name)
                    .is_some_and(|stored| stored.place == Place::DiskAlone)
                {
                    self.lost(&name, DropReason::StorageDamaged);
                }
            }
        }
        self.queue
            .retain(|operation| !matches!(operation, Operation::Write(..)));
        let failed = self.writing.drain().map(|(_, writing)| writing.batch);
        failed.map(Event::Failed).collect()
    }
}
