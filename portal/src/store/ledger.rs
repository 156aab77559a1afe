//! Facts beside the counts: problems, clients and findings, collected while items are written.

use hashbrown::HashMap;
use rusqlite::{Connection, params};

use crate::store::checks::Check;
use crate::store::histogram::Histogram;
use crate::store::prepared::Prepared;

/// The maximum number of distinct clients, and of findings, in one commit.
const MAX_ENTRIES: usize = 5_000;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    clients: HashMap<[String; 3], Client>,
    findings: HashMap<[String; 5], Finding>,
    problems: HashMap<[String; 3], Problem>,
}

#[derive(Debug, Default)]
struct Client {
    items: i64,
    last: i64,
    delays: Histogram,
}

#[derive(Debug)]
struct Finding {
    items: i64,
    first: i64,
    last: i64,
    sample: i64,
}

#[derive(Debug)]
struct Problem {
    type_name: String,
    message: String,
    method: String,
    is_browser: bool,
    first: i64,
    last: i64,
    run: i64,
    item: i64,
}

impl Ledger {
    pub(super) fn see(&mut self, item: &Prepared, id: i64, run: i64, received: i64) {
        let dims = &item.dims;
        if self.clients.len() < MAX_ENTRIES {
            let key = [dims.app.clone(), item.sdk.clone(), dims.role.clone()];
            let client = self.clients.entry(key).or_default();
            client.items += 1;
            client.last = client.last.max(received);
            client.delays.add(received - item.time, 1);
        }
        for check in &item.checks {
            self.find(check, item, id);
        }
        if let Some(text) = &item.problem {
            let key = [dims.app.clone(), dims.role.clone(), dims.name.clone()];
            let problem = self.problems.entry(key).or_insert_with(|| Problem {
                type_name: dims.type_name.clone(),
                message: text.message.clone(),
                method: text.method.clone(),
                is_browser: dims.is_browser,
                first: item.time,
                last: item.time,
                run,
                item: id,
            });
            problem.first = problem.first.min(item.time);
            if item.time >= problem.last {
                problem.last = item.time;
                problem.item = id;
                problem.message.clone_from(&text.message);
            }
        }
    }

    pub(super) fn find(&mut self, check: &Check, item: &Prepared, id: i64) {
        if self.findings.len() >= MAX_ENTRIES {
            return;
        }
        let dims = &item.dims;
        let key = [
            dims.app.clone(),
            check.id.as_str().to_owned(),
            check.detail.clone(),
            dims.role.clone(),
            item.sdk.clone(),
        ];
        let finding = self.findings.entry(key).or_insert(Finding {
            items: 0,
            first: item.time,
            last: item.time,
            sample: id,
        });
        finding.items += 1;
        finding.first = finding.first.min(item.time);
        finding.last = finding.last.max(item.time);
        finding.sample = id;
    }

    /// Writes the collected facts to the database, and clears them.
    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        for ([app, sdk, role], client) in self.clients.drain() {
            let mut delays = client.delays;
            let known = connection
                .prepare_cached(
                    "SELECT items, delays FROM clients WHERE app = ? AND sdk = ? AND role = ?",
                )?
                .query_row(params![app, sdk, role], |row| {
                    delays.merge_encoded(row.get_ref(1)?.as_blob().unwrap_or_default());
                    row.get::<_, i64>(0)
                });
            let known = match known {
                Ok(items) => items,
                Err(rusqlite::Error::QueryReturnedNoRows) => 0,
                Err(error) => return Err(error),
            };
            connection
                .prepare_cached("INSERT OR REPLACE INTO clients VALUES (?, ?, ?, ?, ?, ?)")?
                .execute(params![
                    app,
                    sdk,
                    role,
                    known + client.items,
                    client.last,
                    delays.encode()
                ])?;
        }
        for ([app, id, detail, role, sdk], finding) in self.findings.drain() {
            connection
                .prepare_cached(
                    "INSERT INTO findings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                     items = items + excluded.items, first_seen = min(first_seen, excluded.first_seen),
                     last_seen = max(last_seen, excluded.last_seen), sample = excluded.sample",
                )?
                .execute(params![app, id, detail, role, sdk, finding.items, finding.first, finding.last, finding.sample])?;
        }
        for ([app, role, name], problem) in self.problems.drain() {
            connection
                .prepare_cached(
                    "INSERT INTO problems (app, role, problem, type, message, method, is_browser, first_seen, last_seen,
                     first_run, item) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                     message = iif(excluded.last_seen >= last_seen, excluded.message, message),
                     item = iif(excluded.last_seen >= last_seen, excluded.item, item),
                     first_seen = min(first_seen, excluded.first_seen),
                     last_seen = max(last_seen, excluded.last_seen),
                     first_run = min(first_run, excluded.first_run)",
                )?
                .execute(params![
                    app, role, name, problem.type_name, problem.message, problem.method, problem.is_browser,
                    problem.first, problem.last, problem.run, problem.item
                ])?;
        }
        Ok(())
    }

    /// Discards facts that were not committed.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}
