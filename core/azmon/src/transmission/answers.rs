//! What the worker does with the answer to an upload.

use std::time::{Duration, SystemTime};

use opentelemetry::{otel_debug, otel_warn};
use tokio::task::{Id, JoinError};
use tokio::time::Instant;

use crate::item::{DropReason, ItemKind};
use crate::transmission::batch::Batch;
use crate::transmission::redirect;
use crate::transmission::response::{Verdict, judge};
use crate::transmission::worker::Worker;
use crate::transmission::{Reply, SendError};

impl Worker {
    /// Does what the answer to an upload asks for.
    pub(super) fn settle(&mut self, answered: Result<(Id, Result<Reply, SendError>), JoinError>) {
        let (id, result) = match answered {
            Ok((id, result)) => (id, result),
            Err(error) => (error.id(), Err(SendError(error.to_string()))),
        };
        let Some(batch) = self.under_way.remove(&id) else {
            return;
        };
        self.outbox.answered(&batch);
        match result {
            Ok(reply) => {
                let verdict = judge(&reply, batch.items(), SystemTime::now());
                self.apply(verdict, batch);
            }
            Err(error) => {
                otel_warn!(name: "Export.NoAnswer", endpoint = self.options.endpoint.as_str(), error = error.to_string());
                self.metrics.statistics.retried(None, &batch.kinds);
                self.retry(batch, None);
            }
        }
    }

    fn apply(&mut self, verdict: Verdict, batch: Batch) {
        if !matches!(verdict, Verdict::Redirect { .. }) {
            self.redirects = 0;
        }
        match verdict {
            Verdict::Accepted => {
                self.metrics.statistics.succeeded(&batch.kinds);
                self.gate.succeeded();
            }
            Verdict::Partial {
                retry,
                retry_after,
                refused,
                message,
            } => {
                self.count_accepted(&batch, &retry, &refused);
                self.refuse(&batch, &refused, &message);
                self.keep(&batch, &retry, retry_after);
            }
            Verdict::Retry {
                status,
                retry_after,
            } => {
                otel_warn!(name: "Export.Postponed", endpoint = self.options.endpoint.as_str(), status = status);
                self.metrics.statistics.retried(Some(status), &batch.kinds);
                self.retry(batch, retry_after);
            }
            Verdict::Redirect { location } => self.redirect(batch, &location),
            Verdict::Split => self.split(&batch),
            Verdict::Refused { status, message } => {
                self.gate.succeeded();
                let all: Vec<_> = (0..batch.items()).map(|index| (index, status)).collect();
                self.refuse(&batch, &all, &message);
            }
        }
    }

    fn retry(&mut self, batch: Batch, retry_after: Option<Duration>) {
        self.gate
            .failed(Instant::now(), retry_after, fastrand::f64());
        self.outbox.put_back(batch);
    }

    fn keep(&mut self, batch: &Batch, items: &[(usize, u16)], retry_after: Option<Duration>) {
        if items.is_empty() {
            return self.gate.succeeded();
        }
        for (index, status) in items {
            let kind = batch.kinds_of(&[*index]);
            self.metrics.statistics.retried(Some(*status), &kind);
        }
        let numbers: Vec<_> = items.iter().map(|(index, _)| *index).collect();
        match batch.only(&numbers) {
            Ok(rest) => self.retry(rest, retry_after),
            Err(_) => self.drop_items(
                batch.number,
                &batch.kinds_of(&numbers),
                DropReason::Internal,
            ),
        }
    }

    fn split(&mut self, batch: &Batch) {
        if batch.items() <= 1 {
            return self.drop_items(batch.number, &batch.kinds, DropReason::TooLarge);
        }
        match batch.halves() {
            Ok([first, second]) => {
                self.outbox.put_back(second);
                self.outbox.put_back(first);
            }
            Err(_) => self.drop_items(batch.number, &batch.kinds, DropReason::Internal),
        }
    }

    /// Everything goes to the new address from now on, until the process ends.
    fn redirect(&mut self, batch: Batch, location: &str) {
        self.redirects += 1;
        match redirect::follow(&self.options.endpoint, location) {
            Some(endpoint) if self.redirects <= redirect::MOST => {
                otel_debug!(name: "Export.Redirected", from = self.options.endpoint.as_str(), to = endpoint.as_str());
                self.options.endpoint = endpoint;
                self.outbox.put_back(batch);
            }
            _ => {
                otel_warn!(name: "Export.RedirectRefused", endpoint = self.options.endpoint.as_str(), location = location);
                self.redirects = 0;
                self.retry(batch, None);
            }
        }
    }

    /// Counts what a partial answer does not speak of.
    fn count_accepted(&mut self, batch: &Batch, retry: &[(usize, u16)], refused: &[(usize, u16)]) {
        let is_in = |list: &[(usize, u16)], index: &usize| {
            list.binary_search_by_key(index, |(listed, _)| *listed)
                .is_ok()
        };
        let accepted = (0..batch.items())
            .filter(|index| !is_in(retry, index) && !is_in(refused, index))
            .collect::<Vec<_>>();
        let kinds = batch.kinds_of(&accepted);
        self.metrics.statistics.succeeded(&kinds);
    }

    fn refuse(&mut self, batch: &Batch, items: &[(usize, u16)], message: &str) {
        if items.is_empty() {
            return;
        }
        otel_warn!(name: "Export.Refused", endpoint = self.options.endpoint.as_str(), items = items.len(), message = message);
        for (index, status) in items {
            let kind = batch.kinds_of(&[*index]);
            self.metrics.statistics.rejected(*status, &kind);
            self.drop_items(batch.number, &kind, DropReason::Rejected);
        }
    }

    fn drop_items(&mut self, batch: u64, kinds: &[ItemKind], reason: DropReason) {
        self.losses.count_each(reason, kinds);
        self.waiters.dropped(batch, kinds.len());
    }
}
