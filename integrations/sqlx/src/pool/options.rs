use std::fmt;
use std::time::Duration;

use futures_core::future::BoxFuture;
use log::LevelFilter;
use sqlx_core::Result;
use sqlx_core::pool::{self, PoolConnectionMetadata};

use crate::{Driver, TraceOptions};

/// The options of a [`Pool`]: those of sqlx, and [`PoolOptions::trace`].
///
/// Setters and defaults are those of sqlx's [`PoolOptions`](pool::PoolOptions). Callbacks get sqlx's own
/// connections, such as `sqlx::PgConnection`, and so are not traced.
///
/// # Examples
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> sqlx::Result<()> {
/// use azmon_sqlx::{TraceOptions, sqlite::SqlitePoolOptions};
///
/// let pool = SqlitePoolOptions::new()
///     .max_connections(5)
///     .trace(TraceOptions::new().pool_name("orders"))
///     .connect("sqlite::memory:")
///     .await?;
/// # let _ = pool;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct PoolOptions<DB: Driver> {
    pub(super) raw: pool::PoolOptions<DB>,
    pub(super) trace: TraceOptions,
}

impl<DB: Driver> PoolOptions<DB> {
    /// The defaults of sqlx.
    pub fn new() -> Self {
        pool::PoolOptions::new().into()
    }

    /// Sets what is told about queries. Defaults to [`TraceOptions::new`].
    pub fn trace(mut self, trace: TraceOptions) -> Self {
        self.trace = trace;
        self
    }
}

/// Setters that hand over to the setter of the same name.
macro_rules! setters {
    ($($(#[$docs:meta])* $name:ident: $type:ty;)*) => {
        impl<DB: Driver> PoolOptions<DB> {
            $(
                $(#[$docs])*
                pub fn $name(mut self, value: $type) -> Self {
                    self.raw = self.raw.$name(value);
                    self
                }
            )*
        }
    };
}

setters! {
    /// Sets how many connections there may be. Defaults to 10.
    max_connections: u32;
    /// Sets how many connections are kept open. Defaults to none.
    min_connections: u32;
    /// Sets the level at which sqlx logs the time of every acquire. Defaults to off.
    acquire_time_level: LevelFilter;
    /// Sets the level at which sqlx logs slow acquires. Defaults to warnings.
    acquire_slow_level: LevelFilter;
    /// Sets from when on sqlx calls an acquire slow. Defaults to 2 s.
    acquire_slow_threshold: Duration;
    /// Sets how long a request waits for a connection. Defaults to 30 s.
    acquire_timeout: Duration;
    /// Sets how old a connection may become. Defaults to 30 min.
    max_lifetime: impl Into<Option<Duration>>;
    /// Sets how long a connection may be idle. Defaults to 10 min.
    idle_timeout: impl Into<Option<Duration>>;
    /// Sets whether a connection is tried before it is given out. Defaults to true.
    test_before_acquire: bool;
}

/// Getters that hand over to the getter of the same name.
macro_rules! getters {
    ($($(#[$docs:meta])* $name:ident: $type:ty;)*) => {
        impl<DB: Driver> PoolOptions<DB> {
            $(
                $(#[$docs])*
                #[must_use]
                pub fn $name(&self) -> $type {
                    self.raw.$name()
                }
            )*
        }
    };
}

getters! {
    /// How many connections there may be.
    get_max_connections: u32;
    /// How many connections are kept open.
    get_min_connections: u32;
    /// From when on sqlx calls an acquire slow.
    get_acquire_slow_threshold: Duration;
    /// How long a request waits for a connection.
    get_acquire_timeout: Duration;
    /// How old a connection may become.
    get_max_lifetime: Option<Duration>;
    /// How long a connection may be idle.
    get_idle_timeout: Option<Duration>;
    /// Whether a connection is tried before it is given out.
    get_test_before_acquire: bool;
}

/// Setters of callbacks that hand over to the setter of the same name.
macro_rules! callbacks {
    ($($(#[$docs:meta])* $name:ident: $output:ty;)*) => {
        impl<DB: Driver> PoolOptions<DB> {
            $(
                $(#[$docs])*
                pub fn $name<F>(mut self, callback: F) -> Self
                where
                    for<'c> F: Fn(
                            &'c mut DB::Connection,
                            PoolConnectionMetadata,
                        ) -> BoxFuture<'c, Result<$output>>
                        + 'static
                        + Send
                        + Sync,
                {
                    self.raw = self.raw.$name(callback);
                    self
                }
            )*
        }
    };
}

callbacks! {
    /// Sets what is done with a connection when it has been opened.
    after_connect: ();
    /// Sets what is done with an idle connection before it is given out: whether to keep it.
    before_acquire: bool;
    /// Sets what is done with a connection when it comes back: whether to keep it.
    after_release: bool;
}

impl<DB: Driver> From<pool::PoolOptions<DB>> for PoolOptions<DB> {
    fn from(raw: pool::PoolOptions<DB>) -> Self {
        Self {
            raw,
            trace: TraceOptions::new(),
        }
    }
}

impl<DB: Driver> Default for PoolOptions<DB> {
    fn default() -> Self {
        Self::new()
    }
}

impl<DB: Driver> Clone for PoolOptions<DB> {
    fn clone(&self) -> Self {
        Self {
            raw: self.raw.clone(),
            trace: self.trace.clone(),
        }
    }
}

impl<DB: Driver> fmt::Debug for PoolOptions<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.raw.fmt(f)
    }
}
