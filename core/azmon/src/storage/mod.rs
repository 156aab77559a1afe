//! Telemetry on disk: batches that cannot be sent now, and in durable mode all batches until they are sent.
//!
//! Invariants:
//! - A directory of batches has one owner: the process that holds its lock. The lock ends with the process, in whatever
//!   way the process ends. Therefore two processes never send the same batch, and no clock is needed.
//! - A file is written under a temporary name, synced and renamed. A file with its final name is complete.
//! - A file is removed only after the service has answered for its items, or they are counted as dropped.
//! - A file that is not a complete batch of this format is set aside and not read again.
//! - All files are below one directory, which only its user can enter.
//!
//! # Layout
//!
//! ```text
//! <cache directory>/azmon/
//!   <process name>-<hash of user and instrumentation key>/   0700
//!     <process id>-<random>.lock                             0600, locked while its owner lives
//!     <process id>-<random>/                                 0700, the batches of that process
//!       <milliseconds>-<owner>-<number>-<items>.azmon        0600, one batch
//!       <the same>.tmp                                       0600, a batch that is being written
//!     aside/                                                 0700, files that could not be read; the last 20
//! ```
//!
//! The cache directory is `$XDG_CACHE_HOME`, else `~/.cache`; on macOS `~/Library/Caches`, on Windows `%LOCALAPPDATA%`;
//! or `$CACHE_DIRECTORY` of a service, as systemd sets it. At its start and then every minute, a process takes over the
//! batches of processes that have ended.
//!
//! # Format
//!
//! One line `azmon-batch 1`, one line of JSON, then the body as it is sent: newline-delimited envelopes, compressed
//! with gzip. The checksum of gzip tells whether the file is complete.
//!
//! ```text
//! azmon-batch 1
//! {"created":1780000000000,"labels":[[3,4094],[51,2]]}
//! <gzip>
//! ```
//!
//! `created` is the time in milliseconds since 1970. `labels` is a run-length encoding of the labels of the lines, in
//! their order: pairs of a label and a number of lines. A label is `(signal × 10 + type) × 3 + success`. Signals are
//! traces, logs, metrics, from 0; types are in the order of [`TelemetryType`](crate::TelemetryType); success is 0 for
//! none, 1 for false, 2 for true.

#[cfg(test)]
mod fake;
mod file_name;
mod file_system;
mod format;
mod location;
mod options;
mod shelf;

#[cfg(test)]
pub(crate) use self::fake::FakeFileSystem;
pub(crate) use self::file_name::FileName;
pub(crate) use self::file_system::{FileSystem, OsFileSystem};
pub(crate) use self::format::{
    Header, decode, decompress, encode, has_lines, is_whole, milliseconds,
};
pub(crate) use self::location::{directory_name, user_cache};
pub use self::options::Storage;
pub(crate) use self::options::StorageSettings;
pub(crate) use self::shelf::{Found, Operation, Outcome, Shelf};
