//! The worker's shutdown: the network until its deadline, then the disk.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::Undelivered;
use crate::item::{DropReason, Item};
use crate::transmission::handle::DeliveryCallback;
use crate::transmission::worker::{Closing, Worker};

/// Maximum time in which a shutdown sends the batches of earlier processes.
const DRAIN_AT_END: Duration = Duration::from_secs(2);
/// The fraction of a shutdown's timeout that is reserved for the disk.
const DISK_SHARE: u32 = 4;
/// The fraction of a shutdown's timeout in which no upload starts, so that the last answers can arrive.
const ANSWERS_SHARE: u32 = 8;
/// Maximum of the reserve for answers.
const MAX_ANSWERS_TIME: Duration = Duration::from_millis(500);
/// Maximum of the reserve for the disk.
const MAX_DISK_TIME: Duration = Duration::from_secs(2);

impl Worker {
    pub(super) fn close(&mut self, deadline: Instant, callback: Option<DeliveryCallback>) {
        let now = Instant::now();
        let time = deadline.saturating_duration_since(now);
        let for_disk = if self.uploads.disk.is_on(now) {
            (time / DISK_SHARE).min(MAX_DISK_TIME)
        } else {
            Duration::ZERO
        };
        self.uploads.try_now(now);
        let network = deadline.checked_sub(for_disk).unwrap_or(now);
        let for_answers = (time / ANSWERS_SHARE).min(MAX_ANSWERS_TIME);
        self.closing = Some(Closing {
            network,
            encode: network.checked_sub(for_answers).unwrap_or(network),
            drain: now + DRAIN_AT_END.min(time / 2),
            deadline,
            is_measured: false,
            callback,
        });
    }

    /// Whether it is too late to start an upload.
    pub(super) fn is_too_late(&self, now: Instant) -> bool {
        let mut closing = self.closing.iter();
        closing.any(|closing| now >= closing.encode)
    }

    /// Collects the last metrics once all items are taken, and therefore counted.
    pub(super) fn measure_for_closing(&mut self) {
        let is_empty = self.consumer.len() == 0;
        let Some(closing) = &mut self.closing else {
            return;
        };
        if is_empty && !closing.is_measured {
            closing.is_measured = true;
            self.take_unsampled(Instant::now());
            let statistics = &mut self.uploads.statistics;
            let envelopes = self.metrics.end(&self.mapper, &self.counters, statistics);
            self.add_made(envelopes.into_iter().map(Item::from));
        }
    }

    pub(super) fn is_done(&self, now: Instant) -> bool {
        self.closing.as_ref().is_some_and(|closing| {
            let is_encoded = closing.is_measured && self.jobs.is_empty();
            let is_idle = is_encoded && self.uploads.is_idle();
            let is_drained = now >= closing.drain || !self.uploads.may_drain(now);
            let is_over = now >= closing.encode && self.uploads.is_idle();
            (is_idle && is_drained) || is_over || now >= closing.network
        })
    }

    /// Stores or counts the remaining items, and reports the result.
    pub(super) async fn end(mut self) {
        let (deadline, callback) = match self.closing.take() {
            Some(closing) => (closing.deadline, closing.callback),
            None => (Instant::now(), None),
        };
        if self.uploads.disk.is_on(Instant::now()) {
            self.encode_rest(deadline).await;
        }
        // A batch may still be growing.
        for encoder in self.encoders.values_mut() {
            if let Some(batch) = encoder.finish() {
                self.uploads.add(batch);
            }
        }
        self.uploads.store_all(deadline).await;
        let left = self.uploads.end() + self.drop_rest();
        self.uploads.update_status(Instant::now());
        self.reported = None;
        self.report_drops(Instant::now());
        let failed = || Undelivered::Dropped(left);
        for flush in self.flushes.drain(..) {
            (flush.callback)(Err(failed()));
        }
        self.shared.ended();
        if let Some(callback) = callback {
            callback(if left == 0 { Ok(()) } else { Err(failed()) });
        }
    }

    /// Encodes the remaining items for the disk, as far as the deadline allows.
    async fn encode_rest(&mut self, deadline: Instant) {
        let reserve = deadline.saturating_duration_since(Instant::now()) / 4;
        let until = deadline.checked_sub(reserve).unwrap_or(deadline);
        self.uploads.stop_sending();
        while Instant::now() < until && (self.consumer.len() > 0 || !self.jobs.is_empty()) {
            if self.jobs.is_empty() {
                let before = self.consumer.len();
                self.take_queue();
                if self.jobs.is_empty() && self.consumer.len() >= before {
                    return;
                }
            }
            if !self.uploads.has_room() {
                self.uploads.store_all(until).await;
                if !self.uploads.has_room() {
                    return;
                }
            }
            self.encode(Instant::now());
        }
    }

    /// Counts the items that are still in the queue, or taken and not encoded.
    fn drop_rest(&mut self) -> usize {
        let jobs = std::mem::take(&mut self.jobs);
        let mut left = 0;
        for job in jobs {
            left += job.items.len();
            let labels = job.items.iter().map(|taken| taken.item.label());
            self.counters.drop_open(DropReason::Shutdown, labels);
            if let Some(callback) = job.callback {
                callback(Err(Undelivered::Dropped(job.items.len())));
            }
        }
        left + self.shared.drop_queue()
    }
}
