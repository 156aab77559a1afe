//! Reads the facts beside the counts: problems, runs, instances, clients, findings, and saved values.

use rusqlite::{OptionalExtension, params};

use crate::store::checks::CheckId;
use crate::store::histogram::Histogram;
use crate::store::reader::Reader;

/// The exceptions of one problem id in one role.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) id: i64,
    pub(crate) app: String,
    pub(crate) role: String,
    pub(crate) problem: String,
    pub(crate) type_name: String,
    pub(crate) message: String,
    pub(crate) method: String,
    pub(crate) is_browser: bool,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) run: i64,
    /// The id of its newest item.
    pub(crate) item: i64,
}

/// A run of an application.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) app: String,
    pub(crate) number: i64,
    pub(crate) start: i64,
    pub(crate) reason: String,
    pub(crate) role: String,
    pub(crate) version: String,
}

/// One instance of a role.
#[derive(Debug, Clone)]
pub(crate) struct Instance {
    pub(crate) app: String,
    pub(crate) role: String,
    pub(crate) instance: String,
    pub(crate) version: String,
    pub(crate) is_browser: bool,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// An SDK and the role that it reports for.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) sdk: String,
    pub(crate) role: String,
    pub(crate) items: i64,
    pub(crate) delays: Histogram,
}

/// A finding of a check at arrival.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    pub(crate) id: CheckId,
    pub(crate) detail: String,
    pub(crate) role: String,
    pub(crate) sdk: String,
    pub(crate) items: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) sample: i64,
}

/// Items of one client that were refused with one message.
#[derive(Debug, Clone)]
pub(crate) struct Refused {
    pub(crate) message: String,
    /// The SDK, else the `User-Agent`; empty without both.
    pub(crate) client: String,
    pub(crate) items: i64,
    pub(crate) first: i64,
    pub(crate) last: i64,
}

/// A value that a page saved.
#[derive(Debug, Clone)]
pub(crate) struct Saved {
    pub(crate) app: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) updated: i64,
}

type Result<T> = rusqlite::Result<T>;

const PROBLEM: &str = "SELECT id, app, role, problem, type, message, method, is_browser, first_seen, last_seen, first_run, item FROM problems";

impl Reader {
    pub(crate) fn problems(&self, app: Option<&str>) -> Result<Vec<Problem>> {
        let sql =
            format!("{PROBLEM} WHERE ?1 IS NULL OR app = ?1 ORDER BY last_seen DESC LIMIT 5000");
        self.all(&sql, [app], problem)
    }

    pub(crate) fn problem(&self, id: i64) -> Result<Option<Problem>> {
        self.connection
            .prepare_cached(&format!("{PROBLEM} WHERE id = ?"))?
            .query_row([id], problem)
            .optional()
    }

    /// The runs, newest first.
    pub(crate) fn runs(&self, app: Option<&str>) -> Result<Vec<Run>> {
        let sql = "SELECT app, number, start, reason, role, version FROM runs WHERE ?1 IS NULL OR app = ?1
                   ORDER BY start DESC, number DESC LIMIT 200";
        self.all(sql, [app], |row| {
            Ok(Run {
                app: row.get(0)?,
                number: row.get(1)?,
                start: row.get(2)?,
                reason: row.get(3)?,
                role: row.get(4)?,
                version: row.get(5)?,
            })
        })
    }

    /// The instances, by the time of their first item.
    pub(crate) fn instances(&self, app: Option<&str>) -> Result<Vec<Instance>> {
        let sql =
            "SELECT app, role, instance, version, is_browser, first_seen, last_seen FROM instances
                   WHERE ?1 IS NULL OR app = ?1 ORDER BY first_seen";
        self.all(sql, [app], |row| {
            Ok(Instance {
                app: row.get(0)?,
                role: row.get(1)?,
                instance: row.get(2)?,
                version: row.get(3)?,
                is_browser: row.get(4)?,
                first: row.get(5)?,
                last: row.get(6)?,
            })
        })
    }

    pub(crate) fn clients(&self, app: Option<&str>) -> Result<Vec<Client>> {
        let sql = "SELECT sdk, role, items, delays FROM clients WHERE ?1 IS NULL OR app = ?1
                   ORDER BY items DESC LIMIT 1000";
        self.all(sql, [app], |row| {
            let mut delays = Histogram::default();
            delays.merge_encoded(row.get_ref(3)?.as_blob().unwrap_or_default());
            Ok(Client {
                sdk: row.get(0)?,
                role: row.get(1)?,
                items: row.get(2)?,
                delays,
            })
        })
    }

    pub(crate) fn findings(&self, app: Option<&str>) -> Result<Vec<Finding>> {
        let sql = "SELECT id, detail, role, sdk, items, first_seen, last_seen, sample FROM findings
                   WHERE ?1 IS NULL OR app = ?1 ORDER BY items DESC LIMIT 1000";
        let found = self.all(sql, [app], |row| {
            let id = CheckId::from_name(&row.get::<_, String>(0)?);
            let Some(id) = id else { return Ok(None) };
            Ok(Some(Finding {
                id,
                detail: row.get(1)?,
                role: row.get(2)?,
                sdk: row.get(3)?,
                items: row.get(4)?,
                first: row.get(5)?,
                last: row.get(6)?,
                sample: row.get(7)?,
            }))
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    /// The newest first.
    pub(crate) fn refusals(&self) -> Result<Vec<Refused>> {
        let sql = "SELECT message, client, items, first_seen, last_seen FROM refusals
                   ORDER BY last_seen DESC, message LIMIT 1000";
        self.all(sql, [], |row| {
            Ok(Refused {
                message: row.get(0)?,
                client: row.get(1)?,
                items: row.get(2)?,
                first: row.get(3)?,
                last: row.get(4)?,
            })
        })
    }

    pub(crate) fn saved(&self, kind: &str, app: Option<&str>) -> Result<Vec<Saved>> {
        let sql = "SELECT app, kind, name, value, updated FROM saved WHERE kind = ?1 AND (?2 IS NULL OR app = ?2 OR app = '')
                   ORDER BY name LIMIT 1000";
        self.all(sql, params![kind, app], |row| {
            Ok(Saved {
                app: row.get(0)?,
                kind: row.get(1)?,
                name: row.get(2)?,
                value: row.get(3)?,
                updated: row.get(4)?,
            })
        })
    }

    fn all<T>(
        &self,
        sql: &str,
        parameters: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> Result<T>,
    ) -> Result<Vec<T>> {
        self.connection
            .prepare_cached(sql)?
            .query_map(parameters, read)?
            .collect()
    }
}

fn problem(row: &rusqlite::Row<'_>) -> Result<Problem> {
    Ok(Problem {
        id: row.get(0)?,
        app: row.get(1)?,
        role: row.get(2)?,
        problem: row.get(3)?,
        type_name: row.get(4)?,
        message: row.get(5)?,
        method: row.get(6)?,
        is_browser: row.get(7)?,
        first: row.get(8)?,
        last: row.get(9)?,
        run: row.get(10)?,
        item: row.get(11)?,
    })
}
