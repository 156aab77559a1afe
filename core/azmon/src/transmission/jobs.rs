//! Jobs: the items that the worker has taken, until they are encoded.

use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::otel_error;
use tokio::time::Instant;

use crate::item::{DropReason, Item, Taken};
use crate::mapping::Mapper;
use crate::transmission::Shared;
use crate::transmission::handle::SourceId;
use crate::transmission::uploads::Uploads;
use crate::transmission::worker::{Job, Worker};

/// Maximum number of items that are taken from the queue at once.
const ITEMS_AT_ONCE: usize = 4_096;
/// Maximum time of encoding before the network is served: a slow processor must not stop uploads.
pub(super) const SLICE: Duration = Duration::from_millis(20);
/// Maximum number of slices in which a batch grows, if encoding is slow.
const SLICES_OF_A_BATCH: u32 = 10;

impl Worker {
    /// Takes the items of one step from the queue, and counts them for the metrics. Requests come first, so that the
    /// other items of their operations find the name.
    pub(super) fn take_queue(&mut self) {
        let mut taken = Vec::new();
        self.consumer.take(ITEMS_AT_ONCE, &mut taken);
        self.queued_since = None;
        for flush in &mut self.flushes {
            flush.queued = flush.queued.saturating_sub(taken.len());
        }
        if taken.is_empty() {
            return;
        }
        self.count(&mut taken);
        self.counters
            .take(taken.iter().map(|taken| taken.item.label()));
        let (roots, others): (Vec<_>, Vec<_>) = taken
            .into_iter()
            .partition(|taken| taken.item.as_ref().is_root());
        let items = roots.into_iter().chain(others).collect();
        let job = Self::job(SourceId::MAIN, self.mapper.clone(), items);
        self.jobs.push_back(job);
    }

    /// Counts spans for metrics. A defect of the metrics must not end the thread.
    pub(super) fn count(&self, items: &mut [Taken]) {
        for taken in items {
            if let Item::Span(span) = &mut taken.item {
                let counted = catch_unwind(AssertUnwindSafe(|| self.span_metrics.count(span)));
                if counted.is_err() {
                    otel_error!(name: "Worker.Panicked");
                }
            }
        }
    }

    /// Queues finished items for encoding.
    pub(super) fn add_made(&mut self, items: impl Iterator<Item = Item>) {
        let items: VecDeque<_> = items.map(Taken::free).collect();
        if !items.is_empty() {
            self.counters
                .take(items.iter().map(|taken| taken.item.label()));
            let last = self.jobs.back_mut();
            // They share a batch with the items that are about to be encoded.
            if let Some(last) = last.filter(|job| job.source == SourceId::MAIN) {
                last.items.extend(items);
            } else {
                let job = Self::job(SourceId::MAIN, self.mapper.clone(), items);
                self.jobs.push_back(job);
            }
        }
    }

    pub(super) fn job(source: SourceId, mapper: Arc<Mapper>, items: VecDeque<Taken>) -> Job {
        Job {
            source,
            mapper,
            items,
            batches: HashSet::new(),
            slices: 0,
            callback: None,
            reserved: 0,
        }
    }

    /// Encodes the taken items, for a short time.
    pub(super) fn encode(&mut self, start: Instant) {
        let Self {
            jobs,
            encoders,
            uploads,
            counters,
            shared,
            closing,
            ..
        } = self;
        while uploads.has_room()
            && let Some(job) = jobs.front_mut()
        {
            let Some(encoder) = encoders.get_mut(&job.source) else {
                let labels = job.items.iter().map(|taken| taken.item.label());
                counters.drop_open(DropReason::Shutdown, labels);
                job.items.clear();
                finish_job(jobs, uploads, shared);
                continue;
            };
            let mut is_late = false;
            while !is_late && let Some(mut taken) = job.items.pop_front() {
                let full = encoder.add_taken(&job.mapper, &mut taken.item);
                job.batches.extend(full.map(|batch| uploads.add(batch)));
                is_late = Instant::now().saturating_duration_since(start) >= SLICE;
                is_late |= !uploads.has_room();
            }
            // A batch keeps growing between two slices, unless this takes too long or the deadline is near.
            job.slices += 1;
            let is_long = closing.is_some() || job.slices >= SLICES_OF_A_BATCH;
            if job.items.is_empty() || is_long || !uploads.has_room() {
                job.slices = 0;
                let rest = encoder.finish();
                job.batches.extend(rest.map(|batch| uploads.add(batch)));
            }
            if job.items.is_empty() {
                finish_job(jobs, uploads, shared);
            }
            if is_late {
                return;
            }
        }
    }
}

/// Registers the callback of a finished job as a waiter of its batches.
fn finish_job(jobs: &mut VecDeque<Job>, uploads: &mut Uploads, shared: &Shared) {
    let Some(job) = jobs.pop_front() else { return };
    shared.release(job.reserved);
    if let Some(callback) = job.callback {
        uploads.waiters.add(job.batches, callback);
    }
}
