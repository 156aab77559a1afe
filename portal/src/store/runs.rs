//! Runs: a new run starts when an application's processes restart or their version changes.

use hashbrown::{HashMap, HashSet};
use rusqlite::{Connection, params};

/// The time in microseconds within which further starts belong to the same run: services start one after another.
const FOLD: i64 = 10_000_000;
/// An instance that was silent for this time, in microseconds, has ended when another instance of its role
/// appears.
const SILENT: i64 = 10_000_000;

/// The reason for a run's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    First,
    Version,
    Instance,
    Process,
    Manual,
}

impl Reason {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Version => "version",
            Self::Instance => "instance",
            Self::Process => "process",
            Self::Manual => "manual",
        }
    }
}

/// The sender of an item.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender<'a> {
    pub(super) app: &'a str,
    pub(super) role: &'a str,
    pub(super) instance: &'a str,
    pub(super) version: &'a str,
    pub(super) process: &'a str,
    pub(super) is_browser: bool,
    pub(super) time: i64,
}

#[derive(Debug, Default)]
struct App {
    number: i64,
    start: i64,
    roles: HashMap<String, Role>,
}

#[derive(Debug, Default)]
struct Role {
    /// Versions of the current run.
    versions: HashSet<String>,
    instances: HashMap<String, Instance>,
}

#[derive(Debug, Default, Clone)]
struct Instance {
    version: String,
    process: String,
    is_browser: bool,
    first: i64,
    last: i64,
    is_dirty: bool,
}

/// The maximum number of distinct instances of a role.
const MAX_INSTANCES: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Runs {
    apps: HashMap<String, App>,
}

impl Runs {
    pub(super) fn load(connection: &Connection) -> rusqlite::Result<Self> {
        let mut runs = Self::default();
        let mut statement =
            connection.prepare("SELECT app, number, start FROM runs ORDER BY number")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let app = runs.apps.entry(row.get(0)?).or_default();
            app.number = row.get(1)?;
            app.start = row.get(2)?;
        }
        let mut statement = connection.prepare(
            "SELECT app, role, instance, version, process, is_browser, first_seen, last_seen FROM instances",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let app = runs.apps.entry(row.get(0)?).or_default();
            let role = app.roles.entry(row.get(1)?).or_default();
            let instance = Instance {
                version: row.get(3)?,
                process: row.get(4)?,
                is_browser: row.get(5)?,
                first: row.get(6)?,
                last: row.get(7)?,
                is_dirty: false,
            };
            role.versions.insert(instance.version.clone());
            role.instances.insert(row.get(2)?, instance);
        }
        Ok(runs)
    }

    /// Records a sender, and starts a run if the sender indicates one. Returns the number of the run.
    pub(super) fn see(
        &mut self,
        connection: &Connection,
        sender: &Sender<'_>,
    ) -> rusqlite::Result<i64> {
        if !self.apps.contains_key(sender.app) {
            self.apps.insert(sender.app.to_owned(), App::default());
        }
        let Some(app) = self.apps.get_mut(sender.app) else {
            return Ok(0);
        };
        let reason = app.reason(sender);
        let is_folded = sender.time < app.start.saturating_add(FOLD);
        if let Some(reason) = reason
            && (app.number == 0 || !is_folded)
        {
            app.begin(connection, sender, reason)?;
        }
        app.note(sender);
        Ok(app.number)
    }

    /// Starts a run on request.
    pub(super) fn begin(
        &mut self,
        connection: &Connection,
        app: &str,
        time: i64,
    ) -> rusqlite::Result<i64> {
        let sender = Sender {
            app,
            role: "",
            instance: "",
            version: "",
            process: "",
            is_browser: false,
            time,
        };
        let app = self.apps.entry(app.to_owned()).or_default();
        app.begin(connection, &sender, Reason::Manual)?;
        Ok(app.number)
    }

    pub(super) fn flush(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let mut statement = connection
            .prepare_cached("INSERT OR REPLACE INTO instances VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?;
        for (name, app) in &mut self.apps {
            for (role_name, role) in &mut app.roles {
                for (instance_name, instance) in &mut role.instances {
                    if std::mem::take(&mut instance.is_dirty) {
                        statement.execute(params![
                            name,
                            role_name,
                            instance_name,
                            instance.version,
                            instance.process,
                            instance.is_browser,
                            instance.first,
                            instance.last
                        ])?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl App {
    fn reason(&self, sender: &Sender<'_>) -> Option<Reason> {
        if self.number == 0 {
            return Some(Reason::First);
        }
        let role = self.roles.get(sender.role)?;
        if sender.is_browser || sender.time < self.start {
            return None;
        }
        if !sender.version.is_empty()
            && !role.versions.is_empty()
            && !role.versions.contains(sender.version)
        {
            return Some(Reason::Version);
        }
        match role.instances.get(sender.instance) {
            Some(known) => {
                let is_other = !sender.process.is_empty()
                    && !known.process.is_empty()
                    && known.process != sender.process
                    && sender.time > known.last;
                is_other.then_some(Reason::Process)
            }
            None => {
                let newest = role
                    .instances
                    .values()
                    .map(|instance| instance.last)
                    .max()?;
                (sender.time > newest.saturating_add(SILENT)).then_some(Reason::Instance)
            }
        }
    }

    fn begin(
        &mut self,
        connection: &Connection,
        sender: &Sender<'_>,
        reason: Reason,
    ) -> rusqlite::Result<()> {
        self.number += 1;
        self.start = sender.time;
        for role in self.roles.values_mut() {
            role.versions.clear();
        }
        connection
            .prepare_cached("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?, ?, ?)")?
            .execute(params![
                sender.app,
                self.number,
                self.start,
                reason.as_str(),
                sender.role,
                sender.version
            ])?;
        Ok(())
    }

    fn note(&mut self, sender: &Sender<'_>) {
        if !self.roles.contains_key(sender.role) {
            self.roles.insert(sender.role.to_owned(), Role::default());
        }
        let Some(role) = self.roles.get_mut(sender.role) else {
            return;
        };
        if !sender.version.is_empty() && !role.versions.contains(sender.version) {
            role.versions.insert(sender.version.to_owned());
        }
        if !role.instances.contains_key(sender.instance) {
            if role.instances.len() >= MAX_INSTANCES {
                return;
            }
            let instance = Instance {
                first: sender.time,
                last: i64::MIN,
                is_browser: sender.is_browser,
                ..Instance::default()
            };
            role.instances.insert(sender.instance.to_owned(), instance);
        }
        let Some(instance) = role.instances.get_mut(sender.instance) else {
            return;
        };
        instance.is_dirty = true;
        instance.first = instance.first.min(sender.time);
        if sender.time >= instance.last {
            instance.last = sender.time;
            for (kept, sent) in [
                (&mut instance.version, sender.version),
                (&mut instance.process, sender.process),
            ] {
                if !sent.is_empty() && kept != sent {
                    sent.clone_into(kept);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::schema;

    struct Bench {
        connection: Connection,
        runs: Runs,
    }

    impl Bench {
        fn new() -> Self {
            let mut connection = Connection::open_in_memory().unwrap();
            schema::migrate(&mut connection).unwrap();
            Self {
                connection,
                runs: Runs::default(),
            }
        }

        fn see(
            &mut self,
            second: i64,
            role: &str,
            instance: &str,
            version: &str,
            process: &str,
        ) -> i64 {
            let sender = Sender {
                app: "a",
                role,
                instance,
                version,
                process,
                is_browser: false,
                time: second * 1_000_000,
            };
            self.runs.see(&self.connection, &sender).unwrap()
        }
    }

    #[test]
    fn a_new_version_begins_a_run_and_a_new_role_does_not() {
        let mut bench = Bench::new();
        assert_eq!(bench.see(0, "shop", "1", "1.0", ""), 1);
        assert_eq!(bench.see(100, "stock", "1", "7.0", ""), 1);
        assert_eq!(bench.see(101, "shop", "1", "1.1", ""), 2);
        assert_eq!(bench.see(200, "shop", "1", "1.1", ""), 2);
    }

    #[test]
    fn services_that_restart_one_after_another_are_one_run() {
        let mut bench = Bench::new();
        bench.see(0, "shop", "1", "1.0", "");
        bench.see(0, "stock", "1", "1.0", "");
        assert_eq!(bench.see(100, "shop", "1", "1.1", ""), 2);
        assert_eq!(bench.see(105, "stock", "1", "1.1", ""), 2);
    }

    #[test]
    fn an_instance_that_replaces_a_silent_one_begins_a_run_and_one_more_does_not() {
        let mut bench = Bench::new();
        bench.see(0, "shop", "1", "", "");
        bench.see(100, "shop", "1", "", "");
        assert_eq!(bench.see(101, "shop", "2", "", ""), 1, "both run");
        assert_eq!(bench.see(200, "shop", "3", "", ""), 2, "both were silent");
    }

    #[test]
    fn another_process_of_the_same_instance_begins_a_run() {
        let mut bench = Bench::new();
        bench.see(0, "shop", "1", "", "41");
        assert_eq!(bench.see(50, "shop", "1", "", "42"), 2);
    }

    #[test]
    fn an_item_from_before_the_run_does_not_begin_another() {
        let mut bench = Bench::new();
        bench.see(0, "shop", "1", "1.0", "");
        bench.see(100, "shop", "1", "1.1", "");
        assert_eq!(bench.see(50, "shop", "1", "1.0", ""), 2);
    }

    #[test]
    fn runs_go_on_after_the_database_was_opened_again() {
        let mut bench = Bench::new();
        bench.see(0, "shop", "1", "1.0", "");
        bench.runs.flush(&bench.connection).unwrap();
        bench.runs = Runs::load(&bench.connection).unwrap();
        assert_eq!(bench.see(100, "shop", "1", "1.0", ""), 1);
        assert_eq!(bench.see(200, "shop", "1", "1.1", ""), 2);
    }
}
