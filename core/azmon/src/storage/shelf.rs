//! The directory of one process: file operations, one after the other, all blocking.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use opentelemetry::otel_warn;

use crate::storage::file_name::TEMPORARY;
use crate::storage::file_system::Lock;
use crate::storage::{FileName, FileSystem, is_whole};

/// Maximum size of a file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// Maximum number of files that are kept aside.
const MAX_ASIDE: usize = 20;
/// Maximum number of files that one operation takes over; other batches are written in between.
const ADOPTED_AT_ONCE: usize = 1_000;
/// A process that cleans up may take a lock at the moment of its creation.
const LOCK_TRIES: usize = 3;
const ASIDE: &str = "aside";
const LOCK: &str = ".lock";

/// The files of this process.
#[derive(Debug)]
pub(crate) struct Shelf {
    files: Arc<dyn FileSystem>,
    root: PathBuf,
    id: String,
    own: PathBuf,
    _lock: Lock,
    /// Locks of ended processes whose files are being taken over.
    adopting: Mutex<Vec<(String, Lock)>>,
}

/// A file operation.
#[derive(Debug)]
pub(crate) enum Operation {
    /// Write a batch.
    Write(FileName, Vec<u8>),
    /// Read a batch.
    Read(FileName),
    /// Remove a batch that was delivered or given up.
    Remove(FileName),
    /// Set aside a file that is not a complete batch.
    SetAside(FileName),
    /// Take over some batches of ended processes.
    Adopt,
}

/// The result of an [`Operation`].
#[derive(Debug)]
pub(crate) enum Outcome {
    Written(FileName, io::Result<()>),
    Read(FileName, io::Result<Bytes>),
    /// The next process would send a file that cannot be removed again.
    Removed(FileName, io::Result<()>),
    Adopted(Vec<Found>),
}

/// A batch that was taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: FileName,
    pub(crate) bytes: u64,
}

impl Shelf {
    /// Makes the directory of this process below `root`.
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be created or locked, or is not private to this user.
    pub(crate) fn open(files: Arc<dyn FileSystem>, root: PathBuf) -> io::Result<Self> {
        files.private_directory(&root)?;
        // The lock precedes the directory: a directory without a lock may be taken over.
        let mut locked = None;
        for _ in 0..LOCK_TRIES {
            let id = format!("{}-{:08x}", std::process::id(), fastrand::u32(..));
            if let Some(lock) = files.lock(&root.join(format!("{id}{LOCK}")))? {
                locked = Some((id, lock));
                break;
            }
        }
        let taken = || io::Error::other("another process takes every lock");
        let (id, lock) = locked.ok_or_else(taken)?;
        let own = root.join(&id);
        files.private_directory(&own)?;
        Ok(Self {
            files,
            root,
            id,
            own,
            _lock: lock,
            adopting: Mutex::default(),
        })
    }

    /// The owner in the names of the files.
    pub(crate) fn owner(&self) -> &str {
        &self.id
    }

    /// Performs operations in order. Files that are written together are synced together.
    pub(crate) fn perform(&self, operations: Vec<Operation>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(operations.len());
        let mut unsynced = Vec::new();
        for operation in operations {
            match operation {
                Operation::Write(name, content) => {
                    let path = self.own.join(name.temporary());
                    let written = self.files.write(&path, &content);
                    unsynced.push((name, written));
                }
                other => {
                    self.finish(&mut unsynced, &mut outcomes);
                    outcomes.extend(self.perform_one(other));
                }
            }
        }
        self.finish(&mut unsynced, &mut outcomes);
        outcomes
    }

    fn perform_one(&self, operation: Operation) -> Option<Outcome> {
        match operation {
            Operation::Write(..) => None,
            Operation::Read(name) => {
                let content = self.files.read(&self.path(&name), MAX_FILE);
                Some(Outcome::Read(name, content.map(Bytes::from)))
            }
            Operation::Remove(name) => {
                let removed = self.files.remove(&self.path(&name));
                Some(Outcome::Removed(name, removed))
            }
            Operation::SetAside(name) => {
                self.set_aside(&self.path(&name), name.as_str());
                None
            }
            Operation::Adopt => Some(Outcome::Adopted(self.adopt())),
        }
    }

    /// Syncs the written files and gives them their final names.
    fn finish(&self, unsynced: &mut Vec<(FileName, io::Result<()>)>, outcomes: &mut Vec<Outcome>) {
        if unsynced.is_empty() {
            return;
        }
        let first = outcomes.len();
        for (name, written) in unsynced.drain(..) {
            let temporary = self.own.join(name.temporary());
            let finished = written
                .and_then(|()| self.files.sync(&temporary))
                .and_then(|()| self.files.rename(&temporary, &self.path(&name)));
            if finished.is_err() {
                // A partial file is useless; if it cannot be removed, the next process sets it aside.
                let _ = self.files.remove(&temporary);
            }
            outcomes.push(Outcome::Written(name, finished));
        }
        if let Err(error) = self.files.sync_directory(&self.own) {
            for outcome in outcomes.iter_mut().skip(first) {
                if let Outcome::Written(name, result @ Ok(())) = outcome {
                    let _ = self.files.remove(&self.path(name));
                    *result = Err(io::Error::new(error.kind(), error.to_string()));
                }
            }
        }
    }

    fn path(&self, name: &FileName) -> PathBuf {
        self.own.join(name.as_str())
    }

    /// Moves some batches of ended processes into the own directory.
    fn adopt(&self) -> Vec<Found> {
        let mut adopting = self.adopting.lock().unwrap_or_else(PoisonError::into_inner);
        if adopting.is_empty() {
            *adopting = self.ended_owners();
        }
        let mut found = Vec::new();
        while found.len() < ADOPTED_AT_ONCE
            && let Some((id, _)) = adopting.last()
        {
            let is_empty = self.adopt_from(id, &mut found);
            if is_empty && let Some((id, lock)) = adopting.pop() {
                let _ = self.files.remove_directory(&self.root.join(&id));
                let _ = self.files.remove(&self.root.join(format!("{id}{LOCK}")));
                drop(lock);
            }
        }
        found
    }

    /// The ended processes that left a directory or a lock.
    fn ended_owners(&self) -> Vec<(String, Lock)> {
        let entries = self.files.list(&self.root).unwrap_or_default();
        let owners = entries.into_iter().filter_map(|entry| {
            let id = entry.name.strip_suffix(LOCK).map(str::to_owned);
            let id = id.or_else(|| Some(entry.name).filter(|_| entry.is_directory));
            id.filter(|id| *id != self.id && id != ASIDE)
        });
        let mut owners: Vec<_> = owners.collect();
        owners.sort_unstable();
        owners.dedup();
        let lock = |id: String| {
            let path = self.root.join(format!("{id}{LOCK}"));
            let lock = self.files.lock(&path).ok().flatten()?;
            Some((id, lock))
        };
        owners.into_iter().filter_map(lock).collect()
    }

    /// Moves the batches of an ended process here; true if none are left.
    fn adopt_from(&self, id: &str, found: &mut Vec<Found>) -> bool {
        let directory = self.root.join(id);
        let Ok(entries) = self.files.list(&directory) else {
            return true;
        };
        for entry in entries {
            if found.len() >= ADOPTED_AT_ONCE {
                return false;
            }
            let path = directory.join(&entry.name);
            match self.final_name(&path, &entry.name) {
                Some(name) if !entry.is_directory => {
                    // A file that cannot be moved stays for a later process.
                    if self.files.rename(&path, &self.path(&name)).is_ok() {
                        let bytes = entry.bytes;
                        found.push(Found { name, bytes });
                    }
                }
                _ => self.set_aside(&path, &entry.name),
            }
        }
        true
    }

    /// The final name of a complete batch. A temporary file is complete if the process ended after it wrote the whole
    /// batch.
    fn final_name(&self, path: &Path, name: &str) -> Option<FileName> {
        let Some(stem) = name.strip_suffix(TEMPORARY) else {
            return FileName::parse(name);
        };
        let name = FileName::parse(&format!("{stem}{}", super::file_name::WHOLE))?;
        let content = self.files.read(path, MAX_FILE).ok()?;
        let is_written = is_whole(&content.into());
        is_written.then_some(name)
    }

    /// Sets aside a file that is not a complete batch, and removes the oldest files that were set aside.
    fn set_aside(&self, path: &Path, name: &str) {
        otel_warn!(name: "Storage.FileSetAside", file = name, reason = "it is not a whole batch of azmon's");
        let aside = self.root.join(ASIDE);
        let moved = self
            .files
            .private_directory(&aside)
            .and_then(|()| self.files.rename(path, &aside.join(name)));
        if moved.is_err() {
            let _ = self.files.remove(path);
        }
        let mut names: Vec<_> = self.files.list(&aside).unwrap_or_default();
        names.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let excess = names.len().saturating_sub(MAX_ASIDE);
        for entry in names.into_iter().take(excess) {
            let _ = self.files.remove(&aside.join(entry.name));
        }
    }
}

impl Drop for Shelf {
    /// Removes the directory and the lock if no batch is stored.
    fn drop(&mut self) {
        if self.files.remove_directory(&self.own).is_ok() {
            let _ = self
                .files
                .remove(&self.root.join(format!("{}{LOCK}", self.id)));
        }
    }
}
