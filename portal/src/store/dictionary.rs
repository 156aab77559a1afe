//! The series: every counted combination of dimensions, in memory and in the database.

use std::sync::{Arc, PoisonError, RwLock};

use hashbrown::HashMap;
use rusqlite::{Connection, params};

use crate::store::prepared::{Dims, SeriesKind};

/// The maximum number of series for one application and kind. Beyond it, names and targets are grouped.
const MAX_SERIES: usize = 2_000;
/// The maximum number of series in all. Beyond it, only applications are distinguished.
const MAX_ALL: usize = 40_000;
/// The name of grouped values.
pub(crate) const OTHERS: &str = "(others)";

/// One combination of dimensions.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) id: i64,
    pub(crate) dims: Dims,
}

/// All series by id, as readers see them: id n is at index n - 1.
pub(crate) type Snapshot = Arc<Vec<Arc<Series>>>;

/// The state that readers share with the writer.
#[derive(Debug, Default)]
pub(super) struct Published(RwLock<Snapshot>);

impl Published {
    pub(super) fn snapshot(&self) -> Snapshot {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, all: &[Arc<Series>]) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(all.to_vec());
    }
}

/// The writer's dictionary.
#[derive(Debug)]
pub(super) struct Dictionary {
    by_dims: HashMap<Dims, i64>,
    all: Vec<Arc<Series>>,
    /// Series by application and kind.
    counts: HashMap<(String, SeriesKind), usize>,
    published: Arc<Published>,
    published_count: usize,
}

impl Dictionary {
    pub(super) fn load(
        connection: &Connection,
        published: Arc<Published>,
    ) -> rusqlite::Result<Self> {
        let mut dictionary = Self {
            by_dims: HashMap::new(),
            all: Vec::new(),
            counts: HashMap::new(),
            published,
            published_count: usize::MAX,
        };
        let mut statement = connection.prepare(
            "SELECT app, kind, role, instance, name, operation, target, type, result, success, is_browser
             FROM series ORDER BY id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let code: u8 = row.get(1)?;
            let Some(kind) = SeriesKind::from_code(code) else {
                return Err(rusqlite::Error::IntegralValueOutOfRange(1, i64::from(code)));
            };
            dictionary.add(Dims {
                app: row.get(0)?,
                kind,
                role: row.get(2)?,
                instance: row.get(3)?,
                name: row.get(4)?,
                operation: row.get(5)?,
                target: row.get(6)?,
                type_name: row.get(7)?,
                result: row.get(8)?,
                success: row.get(9)?,
                is_browser: row.get(10)?,
            });
        }
        dictionary.publish();
        Ok(dictionary)
    }

    /// The id of a combination. A new combination is written to the database.
    pub(super) fn id(&mut self, connection: &Connection, dims: &Dims) -> rusqlite::Result<i64> {
        if let Some(id) = self.by_dims.get(dims) {
            return Ok(*id);
        }
        let dims = self.bounded(dims);
        if let Some(id) = self.by_dims.get(&dims) {
            return Ok(*id);
        }
        let id = self.all.len() as i64 + 1;
        connection
            .prepare_cached("INSERT INTO series VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?
            .execute(params![
                id,
                dims.app,
                dims.kind.code(),
                dims.role,
                dims.instance,
                dims.name,
                dims.operation,
                dims.target,
                dims.type_name,
                dims.result,
                dims.success,
                dims.is_browser
            ])?;
        self.add(dims);
        Ok(id)
    }

    /// The dimensions, reduced if too many series exist.
    fn bounded(&self, dims: &Dims) -> Dims {
        let mut dims = dims.clone();
        let count = self
            .counts
            .get(&(dims.app.clone(), dims.kind))
            .copied()
            .unwrap_or(0);
        if count >= MAX_SERIES || self.all.len() >= MAX_ALL {
            for text in [
                &mut dims.name,
                &mut dims.operation,
                &mut dims.target,
                &mut dims.type_name,
            ] {
                OTHERS.clone_into(text);
            }
            dims.result.truncate(0);
            dims.instance.truncate(0);
        }
        if self.all.len() >= MAX_ALL {
            OTHERS.clone_into(&mut dims.role);
        }
        if self.all.len() >= 2 * MAX_ALL {
            OTHERS.clone_into(&mut dims.app);
        }
        dims
    }

    fn add(&mut self, dims: Dims) {
        let id = self.all.len() as i64 + 1;
        *self
            .counts
            .entry((dims.app.clone(), dims.kind))
            .or_default() += 1;
        self.by_dims.insert(dims.clone(), id);
        self.all.push(Arc::new(Series { id, dims }));
    }

    pub(super) fn get(&self, id: i64) -> Option<&Arc<Series>> {
        self.all.get(usize::try_from(id).ok()?.checked_sub(1)?)
    }

    /// Reads all series again after a rollback.
    pub(super) fn reload(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        *self = Self::load(connection, Arc::clone(&self.published))?;
        Ok(())
    }

    /// Makes the committed series visible to readers.
    pub(super) fn publish(&mut self) {
        if self.published_count != self.all.len() {
            self.published.replace(&self.all);
            self.published_count = self.all.len();
        }
    }
}
