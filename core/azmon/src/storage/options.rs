//! Settings of the storage.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::storage::FileSystem;

/// Storage on disk for telemetry that cannot be sent at the moment.
///
/// It is enabled by default, below the user's cache directory. In an outage and at the end of the program, batches are
/// written to files. This process or the next one of the same program sends them. Beyond a limit, the oldest batches
/// are dropped, and counted as [`DropReason::StorageFull`](crate::DropReason::StorageFull). If no directory is private
/// to the user and writable, telemetry waits only in memory, and azmon logs one warning.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use azmon::{Storage, Telemetry};
///
/// let storage = Storage::at("/var/lib/shop/telemetry")
///     .max_bytes(200 << 20)
///     .max_age(Duration::from_secs(24 * 60 * 60));
/// let builder = Telemetry::builder().storage(storage);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Storage {
    pub(crate) is_on: bool,
    pub(crate) directory: Option<PathBuf>,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Duration,
    pub(crate) max_files: usize,
    pub(crate) is_durable: bool,
}

impl Default for Storage {
    /// 50 MB, 48 h and 10,000 files, below the user's cache directory.
    fn default() -> Self {
        Self {
            is_on: true,
            directory: None,
            max_bytes: 50_000_000,
            max_age: Duration::from_secs(48 * 60 * 60),
            max_files: 10_000,
            is_durable: false,
        }
    }
}

impl Storage {
    /// Disables storage: telemetry that cannot be sent waits in memory, and is lost with the process.
    #[must_use]
    pub fn off() -> Self {
        Self {
            is_on: false,
            ..Self::default()
        }
    }

    /// Stores telemetry below this directory, which is created if it is missing. Programs, users and resources that
    /// share it have separate subdirectories.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: Some(directory.into()),
            ..Self::default()
        }
    }

    /// Sets the maximum size of the files of one process, in bytes. Defaults to 50,000,000.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the maximum age of telemetry that cannot be delivered, on disk or in memory. Defaults to 48 h. Older
    /// telemetry is dropped, and counted as [`DropReason::Expired`](crate::DropReason::Expired).
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets the maximum number of files of one process. Defaults to 10,000.
    #[must_use]
    pub fn max_files(mut self, files: usize) -> Self {
        self.max_files = files;
        self
    }

    /// Sets whether every batch is written to disk before it is sent. Defaults to `false`.
    ///
    /// In this mode, a signal that ends the process or a power cut loses at most the items that ended in the last
    /// 200 ms; without it, all items that were not sent are lost. It costs about twenty synced files per second while
    /// telemetry flows. A batch that was sent but not answered when the process ended is sent twice.
    #[must_use]
    pub fn durable(mut self, durable: bool) -> Self {
        self.is_durable = durable;
        self
    }

    /// Whether everything is written to disk before it is sent.
    #[must_use]
    pub fn is_durable(&self) -> bool {
        self.is_on && self.is_durable
    }
}

/// The resolved storage settings of a worker.
#[derive(Debug, Clone)]
pub(crate) struct StorageSettings {
    /// `None` for memory only.
    pub(crate) directory: Option<PathBuf>,
    pub(crate) files: Arc<dyn FileSystem>,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Duration,
    pub(crate) max_files: usize,
    pub(crate) is_durable: bool,
}

impl StorageSettings {
    /// Memory only.
    #[cfg(test)]
    pub(crate) fn off() -> Self {
        Self::new(&Storage::off(), None)
    }

    /// Resolves `storage`, with files below `directory`.
    pub(crate) fn new(storage: &Storage, directory: Option<PathBuf>) -> Self {
        let directory = directory.filter(|_| storage.is_on);
        Self {
            is_durable: storage.is_durable && directory.is_some(),
            directory,
            files: Arc::new(super::OsFileSystem),
            max_bytes: storage.max_bytes,
            max_age: storage.max_age,
            max_files: storage.max_files,
        }
    }
}
