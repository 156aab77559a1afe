//! A file system in memory whose calls can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::storage::FileSystem;
use crate::storage::file_system::{Entry, Lock};

/// Clones share the files.
#[derive(Debug, Clone, Default)]
pub(crate) struct FakeFileSystem(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<PathBuf, Vec<u8>>,
    directories: BTreeSet<PathBuf>,
    locked: BTreeSet<PathBuf>,
    unsynced: BTreeSet<PathBuf>,
    calls: usize,
    fails: Option<(std::ops::Range<usize>, io::ErrorKind)>,
}

impl FakeFileSystem {
    /// Makes the calls with these numbers, from 0, fail.
    pub(crate) fn fail(&self, calls: std::ops::Range<usize>, kind: io::ErrorKind) {
        self.state().fails = Some((calls, kind));
    }

    /// Releases all locks, as the end of a process does.
    pub(crate) fn end_of_process(&self) {
        self.state().locked.clear();
    }

    /// All files, by path.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        self.state().files.clone()
    }

    /// The batches.
    pub(crate) fn batches(&self) -> usize {
        let is_batch = |path: &&PathBuf| path.extension().is_some_and(|end| end == "azmon");
        let is_aside = |path: &&PathBuf| path.to_string_lossy().contains("aside");
        let state = self.state();
        let batches = state.files.keys().filter(is_batch);
        batches.filter(|path| !is_aside(path)).count()
    }

    /// Changes the content of all existing files.
    pub(crate) fn damage(&self, mut change: impl FnMut(&Path, &mut Vec<u8>)) {
        for (path, content) in &mut self.state().files {
            change(path, content);
        }
    }

    /// Adds a file.
    pub(crate) fn add(&self, path: &Path, content: &[u8]) {
        self.state()
            .files
            .insert(path.to_owned(), content.to_owned());
    }

    /// Removes everything below a directory.
    pub(crate) fn remove_all(&self, root: &Path) {
        let mut state = self.state();
        state.files.retain(|path, _| !path.starts_with(root));
        state.directories.retain(|path| !path.starts_with(root));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn call(&self) -> io::Result<std::sync::MutexGuard<'_, State>> {
        let mut state = self.state();
        let number = state.calls;
        state.calls += 1;
        match &state.fails {
            Some((calls, kind)) if calls.contains(&number) => Err((*kind).into()),
            _ => Ok(state),
        }
    }
}

fn not_found() -> io::Error {
    io::ErrorKind::NotFound.into()
}

impl FileSystem for FakeFileSystem {
    fn private_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        let ancestors = path.ancestors().map(Path::to_owned);
        state.directories.extend(ancestors);
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Lock>> {
        let mut state = self.call()?;
        state.files.entry(path.to_owned()).or_default();
        let is_new = state.locked.insert(path.to_owned());
        // No test reads the locked file, so any file will do.
        is_new.then(|| tempfile().map(Lock::of)).transpose()
    }

    fn write(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut state = self.call()?;
        if !path
            .parent()
            .is_some_and(|parent| state.directories.contains(parent))
        {
            return Err(not_found());
        }
        state.unsynced.insert(path.to_owned());
        state.files.insert(path.to_owned(), content.to_owned());
        Ok(())
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        self.call()?.unsynced.remove(path);
        Ok(())
    }

    fn sync_directory(&self, _path: &Path) -> io::Result<()> {
        self.call().map(drop)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        assert!(
            !state.unsynced.contains(from),
            "{from:?} is renamed before it is synced"
        );
        let content = state.files.remove(from).ok_or_else(not_found)?;
        state.files.insert(to.to_owned(), content);
        Ok(())
    }

    fn read(&self, path: &Path, _max: u64) -> io::Result<Vec<u8>> {
        self.call()?.files.get(path).cloned().ok_or_else(not_found)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        state.locked.remove(path);
        let removed = state.files.remove(path).map(drop);
        removed.ok_or_else(not_found)
    }

    fn remove_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.call()?;
        let next = state.files.range(path.to_owned()..).next();
        if next.is_some_and(|(file, _)| file.starts_with(path)) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        state.directories.remove(path);
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<Entry>> {
        let state = self.call()?;
        if !state.directories.contains(path) {
            return Err(not_found());
        }
        let name = |child: &Path| child.file_name().unwrap().to_string_lossy().into_owned();
        let is_child = |child: &&PathBuf| child.parent() == Some(path);
        // The files below a path are adjacent.
        let below = state.files.range(path.to_owned()..);
        let below = below.take_while(|(file, _)| file.starts_with(path));
        let files = below.filter(|(file, _)| is_child(file));
        let files = files.map(|(file, content)| Entry {
            name: name(file),
            bytes: content.len() as u64,
            is_directory: false,
        });
        let directories = state.directories.iter().filter(is_child);
        let directories = directories.map(|directory| Entry {
            name: name(directory),
            bytes: 0,
            is_directory: true,
        });
        Ok(files.chain(directories).collect())
    }
}

fn tempfile() -> io::Result<std::fs::File> {
    std::fs::File::open(std::env::current_exe()?)
}
