//! The writer thread: batches that wait together are committed together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode, params};
use tokio::sync::oneshot;

use crate::store::calls::{Calls, End, Match};
use crate::store::checks::{Check, CheckId};
use crate::store::counters::{Counters, Refusal};
use crate::store::dictionary::Dictionary;
use crate::store::ledger::Ledger;
use crate::store::prepared::{Dims, Prepared, SeriesKind};
use crate::store::retention::{self, Limits};
use crate::store::rollups::Rollups;
use crate::store::runs::{Runs, Sender};
use crate::store::said::micros;
use crate::store::{AppendError, ItemKind, tail};

/// The maximum number of items in one commit, which bounds the delay until the first of them is visible.
const MAX_COMMIT: usize = 20_000;

/// The maximum number of stored rejections; the latest are kept.
const MAX_REFUSALS: i64 = 1_000;

/// The interval of removing old items while no items arrive.
const AGE_PAUSE: Duration = Duration::from_secs(30);

/// A command for the writer.
pub(super) enum Command {
    Append {
        items: Vec<Prepared>,
        bytes: usize,
        done: oneshot::Sender<Result<(), AppendError>>,
    },
    /// Any other write operation.
    Run(Box<dyn FnOnce(&mut Writer) + Send>),
    End,
}

/// The state that is updated while items are written.
pub(super) struct Writer {
    pub(super) connection: Connection,
    dictionary: Dictionary,
    rollups: Rollups,
    calls: Calls,
    runs: Runs,
    ledger: Ledger,
    counters: Arc<Counters>,
    limits: Limits,
    next_id: i64,
    queued: Arc<AtomicUsize>,
    tail: tail::Sender,
}

type Waiting = (
    Vec<Prepared>,
    usize,
    oneshot::Sender<Result<(), AppendError>>,
);

impl Writer {
    pub(super) fn new(
        connection: Connection,
        dictionary: Dictionary,
        counters: Arc<Counters>,
        limits: Limits,
        (queued, tail): (Arc<AtomicUsize>, tail::Sender),
    ) -> rusqlite::Result<Self> {
        let newest: i64 = connection.query_row(
            "SELECT max(coalesce((SELECT max(id) FROM items), 0),
             coalesce((SELECT CAST(value AS INTEGER) FROM saved WHERE kind = 'internal' AND name = 'last id'), 0))",
            [],
            |row| row.get(0),
        )?;
        counters.newest_id.store(newest, Ordering::Relaxed);
        retention::count(&connection, &counters)?;
        let runs = Runs::load(&connection)?;
        let calls = Calls::load(&connection)?;
        Ok(Self {
            connection,
            dictionary,
            rollups: Rollups::default(),
            calls,
            runs,
            ledger: Ledger::default(),
            counters,
            limits,
            next_id: newest + 1,
            queued,
            tail,
        })
    }

    pub(super) fn work(mut self, commands: &Receiver<Command>) {
        self.age();
        loop {
            let command = match self.limits.age {
                None => commands.recv().ok(),
                Some(_) => match commands.recv_timeout(AGE_PAUSE) {
                    Ok(command) => Some(command),
                    Err(RecvTimeoutError::Timeout) => {
                        self.age();
                        continue;
                    }
                    Err(RecvTimeoutError::Disconnected) => None,
                },
            };
            let Some(command) = command else { return };
            let mut waiting = Vec::new();
            let mut count = 0;
            let mut next = Some(command);
            let mut is_ended = false;
            while let Some(command) = next.take() {
                match command {
                    Command::Append { items, bytes, done } => {
                        count += items.len();
                        waiting.push((items, bytes, done));
                        if count < MAX_COMMIT {
                            next = commands.try_recv().ok();
                        }
                    }
                    Command::Run(run) => {
                        self.commit(std::mem::take(&mut waiting));
                        run(&mut self);
                    }
                    Command::End => is_ended = true,
                }
            }
            self.commit(waiting);
            if is_ended {
                return;
            }
        }
    }

    fn commit(&mut self, waiting: Vec<Waiting>) {
        if waiting.is_empty() {
            return;
        }
        let received = micros(SystemTime::now());
        let written = self.write(&waiting, received);
        let outcome = match written {
            Ok(()) => {
                self.publish(&waiting, received);
                Ok(())
            }
            Err(error) => {
                self.forget();
                tracing::error!(%error, "telemetry could not be written");
                Err(append_error(&error))
            }
        };
        self.write_refusals();
        if let Err(error) = retention::enforce(&mut self.connection, &self.limits, &self.counters) {
            tracing::error!(%error, "old telemetry could not be removed");
        }
        for (_, bytes, done) in waiting {
            self.queued.fetch_sub(bytes, Ordering::Relaxed);
            // Sending fails only if the sender no longer waits.
            let _ = done.send(outcome.clone());
        }
    }

    fn write(&mut self, waiting: &[Waiting], received: i64) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut id = self.next_id;
        for (items, _, _) in waiting {
            for item in items {
                self.write_item(item, id, received)?;
                id += 1;
            }
        }
        self.flush()?;
        self.connection.execute_batch("COMMIT")?;
        self.next_id = id;
        Ok(())
    }

    fn flush(&mut self) -> rusqlite::Result<()> {
        self.rollups.flush(&self.connection)?;
        self.ledger.flush(&self.connection)?;
        self.runs.flush(&self.connection)?;
        Ok(())
    }

    /// Adds the waiting rejections. They are stored even if the items are not.
    pub(super) fn write_refusals(&mut self) {
        let refusals = self.counters.take_refusals();
        if refusals.is_empty() {
            return;
        }
        if let Err(error) = self.add_refusals(&refusals) {
            tracing::error!(%error, "refusals could not be written");
            self.counters.keep_refusals(refusals);
        }
    }

    fn add_refusals(&mut self, refusals: &[Refusal]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for refusal in refusals {
            transaction
                .prepare_cached(
                    "INSERT INTO refusals VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO UPDATE SET
                     items = items + excluded.items, last_seen = max(last_seen, excluded.last_seen)",
                )?
                .execute(params![
                    refusal.message,
                    refusal.client.as_deref().unwrap_or_default(),
                    refusal.count,
                    refusal.time
                ])?;
        }
        transaction
            .prepare_cached(
                "DELETE FROM refusals WHERE rowid NOT IN
                 (SELECT rowid FROM refusals ORDER BY last_seen DESC LIMIT ?)",
            )?
            .execute([MAX_REFUSALS])?;
        transaction.commit()
    }

    /// Removes items that became too old while no items arrived.
    fn age(&mut self) {
        let before = self.counters.items.load(Ordering::Relaxed);
        if let Err(error) = retention::enforce(&mut self.connection, &self.limits, &self.counters) {
            tracing::error!(%error, "old telemetry could not be removed");
        }
        if self.counters.items.load(Ordering::Relaxed) != before {
            self.tail.arrived();
        }
    }

    fn write_item(&mut self, item: &Prepared, id: i64, received: i64) -> rusqlite::Result<()> {
        let series = self.dictionary.id(&self.connection, &item.dims)?;
        self.connection
            .prepare_cached("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                id,
                item.time,
                received,
                series,
                item.weight,
                item.duration,
                item.keys.operation,
                item.user
            ])?;
        self.connection
            .prepare_cached("INSERT INTO envelopes VALUES (?, ?)")?
            .execute(params![id, item.json])?;
        self.connection
            .prepare_cached("INSERT INTO words (rowid, text) VALUES (?, ?)")?
            .execute(params![id, item.words])?;
        let code = item.dims.kind.code();
        self.rollups.add(
            &self.connection,
            (code, series),
            item.time,
            (item.duration, item.value, item.weight),
        )?;
        let run = self.runs.see(
            &self.connection,
            &Sender {
                app: &item.dims.app,
                role: &item.dims.role,
                instance: &item.dims.instance,
                version: &item.version,
                process: &item.process,
                is_browser: item.dims.is_browser,
                time: item.time,
            },
        )?;
        self.ledger.see(item, id, run, received);
        self.join(item, id, series)
    }

    /// Finds the other end of a call, and counts both sides.
    fn join(&mut self, item: &Prepared, id: i64, series: i64) -> rusqlite::Result<()> {
        let end = End {
            series,
            time: item.time,
            duration: item.duration.unwrap_or(0),
            weight: item.weight,
        };
        if let Some(span) = item.keys.span
            && self.calls.is_duplicate(span)
        {
            let check = Check {
                id: CheckId::Duplicate,
                detail: "id".to_owned(),
            };
            self.ledger.find(&check, item, id);
        }
        let matches = match (item.dims.kind, item.keys.span, item.keys.parent) {
            (SeriesKind::Item(ItemKind::Dependency), Some(span), _) => self.calls.caller(span, end),
            (SeriesKind::Item(ItemKind::Request), _, Some(parent)) => {
                self.calls.callee(parent, end).into_iter().collect()
            }
            _ => Vec::new(),
        };
        for found in matches {
            self.count_edge(found)?;
            let is_outside = found.callee.time < found.caller.time
                || found.callee.time + found.callee.duration
                    > found.caller.time + found.caller.duration;
            let skew = (found.caller.time - found.callee.time).max(
                found.callee.time + found.callee.duration
                    - found.caller.time
                    - found.caller.duration,
            );
            if is_outside && skew > SKEW {
                let check = Check {
                    id: CheckId::ClockSkew,
                    detail: format!("{}", skew / 1_000),
                };
                self.ledger.find(&check, item, id);
            }
        }
        Ok(())
    }

    fn count_edge(&mut self, found: Match) -> rusqlite::Result<()> {
        let (Some(caller), Some(callee)) = (
            self.dictionary.get(found.caller.series).cloned(),
            self.dictionary.get(found.callee.series).cloned(),
        ) else {
            return Ok(());
        };
        for (kind, duration, success) in [
            (
                SeriesKind::EdgeCaller,
                found.caller.duration,
                caller.dims.success,
            ),
            (
                SeriesKind::EdgeCallee,
                found.callee.duration,
                callee.dims.success,
            ),
        ] {
            let dims = Dims {
                app: caller.dims.app.clone(),
                kind,
                role: caller.dims.role.clone(),
                instance: callee.dims.role.clone(),
                name: String::new(),
                operation: String::new(),
                target: caller.dims.target.clone(),
                type_name: caller.dims.type_name.clone(),
                result: String::new(),
                success,
                is_browser: caller.dims.is_browser,
            };
            let series = self.dictionary.id(&self.connection, &dims)?;
            self.rollups.add(
                &self.connection,
                (kind.code(), series),
                found.caller.time,
                (Some(duration), None, found.caller.weight),
            )?;
        }
        Ok(())
    }

    /// Makes committed data visible to readers.
    fn publish(&mut self, waiting: &[Waiting], received: i64) {
        self.dictionary.publish();
        let items = || waiting.iter().flat_map(|(items, _, _)| items);
        let kinds = items().filter_map(|item| match item.dims.kind {
            SeriesKind::Item(kind) => Some((kind, item.time)),
            SeriesKind::EdgeCaller | SeriesKind::EdgeCallee => None,
        });
        let count = i64::try_from(items().count()).unwrap_or(0);
        self.counters.items.fetch_add(count, Ordering::Relaxed);
        self.counters.arrived(received, kinds);
        self.counters
            .newest_id
            .store(self.next_id - 1, Ordering::Relaxed);
        self.tail.arrived();
    }

    /// Restores the in-memory state to the database after a failed commit.
    fn forget(&mut self) {
        // Fails if the failed statement has already rolled back.
        let _ = self.connection.execute_batch("ROLLBACK");
        self.rollups.forget();
        self.ledger.forget();
        self.calls = Calls::load(&self.connection).unwrap_or_default();
        if let Ok(runs) = Runs::load(&self.connection) {
            self.runs = runs;
        }
        if let Err(error) = self.dictionary.reload(&self.connection) {
            tracing::error!(%error, "the dictionary could not be read again");
        }
    }

    /// Removes all items, or those of one application. Returns their number.
    pub(super) fn delete(&mut self, app: Option<&str>) -> rusqlite::Result<i64> {
        let last = self.next_id - 1;
        let deleted = retention::delete(&mut self.connection, app, last);
        self.rollups.forget();
        self.calls = Calls::load(&self.connection)?;
        self.runs = Runs::load(&self.connection)?;
        retention::count(&self.connection, &self.counters)?;
        self.counters.deletions.fetch_add(1, Ordering::Relaxed);
        self.tail.arrived();
        deleted
    }

    pub(super) fn begin_run(&mut self, app: &str) -> rusqlite::Result<i64> {
        let number = self
            .runs
            .begin(&self.connection, app, micros(SystemTime::now()))?;
        self.tail.arrived();
        Ok(number)
    }
}

/// The clock difference in microseconds below which charts are still correct.
const SKEW: i64 = 20_000;

fn append_error(error: &rusqlite::Error) -> AppendError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => AppendError::DiskFull,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => AppendError::Damaged,
        _ => AppendError::Failed(error.to_string()),
    }
}
