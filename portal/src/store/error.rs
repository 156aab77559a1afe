//! The reasons why a store cannot be opened, or rejects items.

use std::path::PathBuf;
use std::time::Duration;

use crate::store::place::PlaceError;
use crate::store::schema::SchemaError;

/// The reason why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(
        "the database {} is damaged: {source}. Move it away, or choose another directory with --data",
        path.display()
    )]
    Damaged {
        path: PathBuf,
        source: rusqlite::Error,
    },
    #[error("cannot use the database {}: {source}", path.display())]
    Schema { path: PathBuf, source: SchemaError },
}

/// The reason why items were not stored. No item of the batch is stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AppendError {
    #[error("the portal cannot keep up; try again in {} s", .0.as_secs())]
    Busy(Duration),
    #[error("the disk of the portal's database is full")]
    DiskFull,
    #[error("the portal's database is damaged")]
    Damaged,
    #[error("the portal could not write: {0}")]
    Failed(String),
}
