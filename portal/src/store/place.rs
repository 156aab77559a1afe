//! The directory of the database, which one portal locks for itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, ErrorCode};

const DATABASE: &str = "portal.db";
const LOCK: &str = "portal.lock";
const TEMPORARY: &str = "azmon-portal-";
/// A younger directory may belong to a portal that has created its lock file and not locked it yet.
const STARTING: Duration = Duration::from_secs(60);

/// A locked directory. Dropping it releases the lock, and removes a temporary directory.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
    is_temporary: bool,
    /// Holds the lock while it is open.
    lock: Mutex<Option<Connection>>,
}

/// The reason why a directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlaceError {
    #[error("another portal uses {}", .0.display())]
    InUse(PathBuf),
    #[error("cannot use {}: {source}", directory.display())]
    Directory {
        directory: PathBuf,
        source: io::Error,
    },
    #[error("cannot lock {}: {source}", directory.display())]
    Lock {
        directory: PathBuf,
        source: rusqlite::Error,
    },
}

impl PlaceError {
    pub(crate) const fn is_in_use(&self) -> bool {
        matches!(self, Self::InUse(_))
    }
}

impl Place {
    /// Creates the directory if missing, for this user alone, and locks it.
    pub(super) fn kept(directory: &Path) -> Result<Self, PlaceError> {
        let failed = |source| PlaceError::Directory {
            directory: directory.to_owned(),
            source,
        };
        if !directory.is_dir() {
            create(directory).map_err(failed)?;
        }
        Self::locked(directory.to_owned(), false)
    }

    /// A new directory below the system's temporary directory. Removes the directories that earlier portals left
    /// behind.
    pub(super) fn temporary() -> Result<Self, PlaceError> {
        let parent = std::env::temp_dir();
        remove_abandoned(&parent, SystemTime::now());
        let name = format!(
            "{TEMPORARY}{}-{:016x}",
            std::process::id(),
            fastrand::u64(..)
        );
        let directory = parent.join(name);
        create(&directory).map_err(|source| PlaceError::Directory {
            directory: directory.clone(),
            source,
        })?;
        Self::locked(directory, true)
    }

    fn locked(directory: PathBuf, is_temporary: bool) -> Result<Self, PlaceError> {
        match lock(&directory.join(LOCK)) {
            Ok(lock) => Ok(Self {
                directory,
                is_temporary,
                lock: Mutex::new(Some(lock)),
            }),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                Err(PlaceError::InUse(directory))
            }
            Err(source) => Err(PlaceError::Lock { directory, source }),
        }
    }

    pub(super) fn database(&self) -> PathBuf {
        self.directory.join(DATABASE)
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    pub(super) const fn is_temporary(&self) -> bool {
        self.is_temporary
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // The lock is released before its file is removed.
        self.lock
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if self.is_temporary {
            // If the removal fails, the next portal removes the directory.
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

/// Uses SQLite's own lock, which works on every system and ends with the process.
fn lock(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(std::time::Duration::ZERO)?;
    connection.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;")?;
    Ok(connection)
}

fn create(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(directory)
}

/// A killed portal could not remove its temporary directory.
fn remove_abandoned(parent: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(TEMPORARY);
        // A directory without a lock file is being created at this moment.
        let lock_file = entry.path().join(LOCK);
        if is_ours && age(&lock_file, now) >= Some(STARTING) && lock(&lock_file).is_ok() {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The time since a file was created; `None` if it does not exist.
fn age(file: &Path, now: SystemTime) -> Option<Duration> {
    let created = fs::metadata(file).ok()?.modified().ok()?;
    now.duration_since(created).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_belongs_to_one_portal_at_a_time() {
        let directory =
            std::env::temp_dir().join(format!("azmon-place-{:016x}", fastrand::u64(..)));
        let first = Place::kept(&directory).unwrap();
        assert!(matches!(Place::kept(&directory), Err(PlaceError::InUse(_))));
        drop(first);
        drop(Place::kept(&directory).unwrap());
        fs::remove_dir_all(&directory).unwrap();
    }

    #[test]
    fn an_unlocked_directory_is_removed_unless_its_portal_may_be_starting() {
        let parent = std::env::temp_dir().join(format!("azmon-place-{:016x}", fastrand::u64(..)));
        let abandoned = parent.join(format!("{TEMPORARY}1"));
        let used = parent.join(format!("{TEMPORARY}2"));
        create(&abandoned).unwrap();
        drop(lock(&abandoned.join(LOCK)).unwrap());
        let place = Place::kept(&used).unwrap();
        let now = SystemTime::now();
        remove_abandoned(&parent, now);
        assert!(abandoned.is_dir());
        remove_abandoned(&parent, now + 2 * STARTING);
        assert!(!abandoned.exists() && used.is_dir());
        drop(place);
        fs::remove_dir_all(&parent).unwrap();
    }

    #[test]
    fn a_temporary_directory_is_gone_with_its_portal() {
        let place = Place::temporary().unwrap();
        let directory = place.directory().to_owned();
        assert!(directory.is_dir());
        drop(place);
        assert!(!directory.exists());
    }
}
