//! Settling of uploads: every answer ends, splits or postpones a batch.

use std::time::{Duration, SystemTime};

use opentelemetry::{otel_debug, otel_warn};
use tokio::task::{Id, JoinError};
use tokio::time::Instant;

use crate::item::{DropReason, ItemCounters, ItemLabel};
use crate::transmission::batch::Batch;
use crate::transmission::circuit::Failure;
use crate::transmission::disk::Then;
use crate::transmission::redirect::Redirected;
use crate::transmission::response::{ResponseAction, classify};
use crate::transmission::uploads::{Upload, Uploads};
use crate::transmission::{Reply, SendError, backoff};

/// Maximum number of attempts for a batch whose answers are unreadable.
const MAX_UNREADABLE: u32 = 3;
/// Maximum number of consecutive bad requests without a success. Further batches are refused as a whole, because the
/// cause affects all of them, such as a wrong key. The limit is enough to find three bad items in a full batch.
const MAX_BAD_REQUESTS: u32 = 64;

impl Uploads {
    /// Processes the answer to an upload.
    pub(super) fn settle(&mut self, answered: Result<(Id, Result<Reply, SendError>), JoinError>) {
        let (id, result) = match answered {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(SendError::new(error.to_string()))),
        };
        let Some(upload) = self.under_way.remove(&id) else {
            return;
        };
        match result {
            Ok(reply) => {
                let action = classify(&reply, upload.batch.items(), SystemTime::now());
                self.apply(action, upload);
            }
            Err(error) => {
                otel_warn!(name: "Export.NoAnswer", endpoint = upload.endpoint.as_str(), error = error.to_string());
                self.status.failed(error.to_string());
                self.target.reset();
                let labels = upload.batch.labels.iter();
                self.statistics.retried(None, labels.copied());
                self.retry(upload, None, error.is_outage());
            }
        }
    }

    fn apply(&mut self, action: ResponseAction, upload: Upload) {
        if !matches!(action, ResponseAction::Redirect { .. }) {
            self.target.answered();
        }
        match action {
            ResponseAction::Accepted => {
                self.succeeded();
                self.deliver(&upload.batch);
            }
            ResponseAction::Partial {
                retry,
                retry_after,
                refused,
                message,
            } => self.apply_partial(upload, &retry, retry_after, &refused, &message),
            ResponseAction::Retry {
                status,
                retry_after,
            } => {
                otel_warn!(name: "Export.Postponed", endpoint = upload.endpoint.as_str(), status = status);
                self.status.failed(format!("the service answered {status}"));
                let labels = upload.batch.labels.iter();
                self.statistics.retried(Some(status), labels.copied());
                self.retry(upload, retry_after, false);
            }
            ResponseAction::Redirect { location } => self.redirect(upload, &location),
            ResponseAction::Split => self.split(&upload.batch, DropReason::TooLarge),
            ResponseAction::Isolate { message } => self.isolate(&upload, &message),
            ResponseAction::RefuseSome { refused, message } => {
                self.circuit.succeeded();
                self.refuse(&upload, &refused, &message);
                let rest = others(upload.batch.items(), &refused);
                self.replace(&upload.batch, &rest, None);
            }
            ResponseAction::Unreadable => self.unreadable(upload),
            ResponseAction::Refused { status, message } => {
                self.circuit.succeeded();
                let all: Vec<_> = (0..upload.batch.items())
                    .map(|index| (index, status))
                    .collect();
                self.refuse(&upload, &all, &message);
                self.finish(&upload.batch);
            }
        }
    }

    fn succeeded(&mut self) {
        self.circuit.succeeded();
        self.status.succeeded();
        self.bad_requests = 0;
    }

    /// Counts a batch that the service accepted.
    fn deliver(&mut self, batch: &Batch) {
        self.counters_of(batch).sent(batch.labels.iter().copied());
        self.finish(batch);
    }

    /// Forgets a batch whose items are all counted or in other batches.
    fn finish(&mut self, batch: &Batch) {
        self.outbox.gone(batch.size());
        self.disk.remove(batch);
    }

    fn retry(&mut self, upload: Upload, retry_after: Option<Duration>, is_outage: bool) {
        let Upload {
            mut batch, wave, ..
        } = upload;
        let now = Instant::now();
        let failure = Failure {
            batch: batch.number,
            wave,
            successes: batch.failed_after,
            retry_after,
            is_outage,
        };
        self.circuit.failed(now, &failure, fastrand::f64());
        batch.failed_after = Some(self.circuit.successes());
        batch.attempts = batch.attempts.saturating_add(1);
        batch.not_before = Some(now + backoff::pause(batch.attempts, fastrand::f64()));
        self.outbox.put_back(batch);
    }

    fn apply_partial(
        &mut self,
        upload: Upload,
        retry: &[(usize, u16)],
        retry_after: Option<Duration>,
        refused: &[(usize, u16)],
        message: &str,
    ) {
        self.succeeded();
        let mut unsettled: Vec<_> = retry.iter().chain(refused).copied().collect();
        unsettled.sort_unstable();
        let accepted = others(upload.batch.items(), &unsettled);
        let labels = upload.batch.labels_of(&accepted);
        self.counters_of(&upload.batch).sent(labels);
        self.refuse(&upload, refused, message);
        for (index, status) in retry {
            let label = upload.batch.labels_of(&[*index]);
            self.statistics.retried(Some(*status), label);
        }
        if retry_after.is_some() && !retry.is_empty() {
            let failure = Failure {
                batch: upload.batch.number,
                wave: upload.wave,
                successes: None,
                retry_after,
                is_outage: false,
            };
            self.circuit
                .failed(Instant::now(), &failure, fastrand::f64());
        }
        let numbers: Vec<_> = retry.iter().map(|(index, _)| *index).collect();
        self.replace(&upload.batch, &numbers, Some(upload.batch.attempts + 1));
    }

    /// Replaces a batch by some of its items: sent at once, or with a pause if `attempts` is set.
    fn replace(&mut self, batch: &Batch, items: &[usize], attempts: Option<u32>) {
        if !items.is_empty() {
            match batch.only(items) {
                Ok(mut rest) => {
                    if let Some(attempts) = attempts {
                        let pause = backoff::pause(attempts, fastrand::f64());
                        rest.attempts = attempts;
                        rest.failed_after = Some(self.circuit.successes());
                        rest.not_before = Some(Instant::now() + pause);
                    }
                    self.outbox.reserve(&rest);
                    self.keep_part(rest);
                }
                Err(_) => {
                    let labels = batch.labels_of(items);
                    self.drop_items(batch, &labels, DropReason::Internal);
                }
            }
        }
        self.finish(batch);
    }

    /// Takes a part of a batch. In durable mode, the part must be on disk before the whole is removed.
    fn keep_part(&mut self, part: Batch) {
        if self.disk.is_durable(Instant::now()) {
            let then = match part.not_before {
                Some(_) => Then::Wait,
                None => Then::Send,
            };
            self.disk.write(part, then);
        } else {
            self.outbox.put_back(part);
        }
    }

    fn split(&mut self, batch: &Batch, reason: DropReason) {
        if batch.items() <= 1 {
            return self.drop_batch(batch, reason);
        }
        match batch.halves() {
            Ok(halves) => {
                for half in halves.into_iter().rev() {
                    self.outbox.reserve(&half);
                    if self.disk.is_durable(Instant::now()) {
                        self.disk.write(half, Then::Send);
                    } else {
                        self.outbox.put_front(half);
                    }
                }
                self.finish(batch);
            }
            Err(_) => self.drop_batch(batch, DropReason::Internal),
        }
    }

    /// Searches for the item that makes the service refuse the whole batch.
    fn isolate(&mut self, upload: &Upload, message: &str) {
        self.circuit.succeeded();
        self.bad_requests += 1;
        let batch = &upload.batch;
        if batch.items() > 1 && self.bad_requests <= MAX_BAD_REQUESTS {
            return self.split(batch, DropReason::Rejected);
        }
        let all: Vec<_> = (0..batch.items()).map(|index| (index, 400)).collect();
        self.refuse(upload, &all, message);
        self.finish(batch);
    }

    /// The service accepted an unknown part of the batch: a retry would duplicate this part, and giving up would lose
    /// the other.
    fn unreadable(&mut self, upload: Upload) {
        self.status
            .failed("the answer to a partial success cannot be read".to_owned());
        if upload.batch.attempts + 1 < MAX_UNREADABLE {
            let labels = upload.batch.labels.iter();
            self.statistics.retried(Some(206), labels.copied());
            return self.retry(upload, None, false);
        }
        let all: Vec<_> = (0..upload.batch.items())
            .map(|index| (index, 206))
            .collect();
        self.refuse(&upload, &all, "the answer cannot be read");
        self.finish(&upload.batch);
    }

    fn redirect(&mut self, upload: Upload, location: &str) {
        let now = Instant::now();
        match self.target.redirect(&upload.endpoint, location, now) {
            Redirected::Followed => {
                let to = self.target.endpoint(now);
                otel_debug!(name: "Export.Redirected", from = upload.endpoint.as_str(), to = to);
                self.outbox.put_front(upload.batch);
            }
            Redirected::Refused => {
                otel_warn!(name: "Export.RedirectRefused", endpoint = upload.endpoint.as_str(), location = location);
                self.status
                    .failed("a redirect leads to a foreign host, or in a circle".to_owned());
                self.retry(upload, None, false);
            }
        }
    }

    /// Counts items that the service refused.
    fn refuse(&mut self, upload: &Upload, items: &[(usize, u16)], message: &str) {
        if items.is_empty() {
            return;
        }
        otel_warn!(name: "Export.Refused", endpoint = upload.endpoint.as_str(), items = items.len(), message = message);
        self.status.failed(message.to_owned());
        for (index, status) in items {
            let label = upload.batch.labels_of(&[*index]);
            self.statistics.rejected(*status, &label);
            self.drop_items(&upload.batch, &label, DropReason::Rejected);
        }
    }

    pub(super) fn drop_batch(&mut self, batch: &Batch, reason: DropReason) {
        self.drop_items(batch, &batch.labels, reason);
        self.finish(batch);
    }

    fn drop_items(&mut self, batch: &Batch, labels: &[ItemLabel], reason: DropReason) {
        self.counters_of(batch)
            .drop_open(reason, labels.iter().copied());
        self.waiters.dropped(batch.number, labels.len());
    }

    pub(super) fn counters_of(&self, batch: &Batch) -> &ItemCounters {
        if batch.is_recovered {
            &self.recovered
        } else {
            &self.counters
        }
    }
}

/// The numbers below `items` that are missing in the sorted `listed`.
fn others(items: usize, listed: &[(usize, u16)]) -> Vec<usize> {
    let is_listed = |index: &usize| {
        listed
            .binary_search_by_key(index, |(listed, _)| *listed)
            .is_ok()
    };
    (0..items).filter(|index| !is_listed(index)).collect()
}
