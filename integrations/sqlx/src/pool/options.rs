use std::fmt;
use std::time::Duration;

use futures_core::future::BoxFuture;
use log::LevelFilter;
use sqlx_core::Result;
use sqlx_core::pool::{self, PoolConnectionMetadata};

use crate::{Driver, TraceOptions};

/// The options of a [`Pool`](crate::Pool): those of sqlx, and [`PoolOptions::trace`].
///
/// Setters and defaults are those of sqlx's [`PoolOptions`](pool::PoolOptions). Callbacks receive sqlx's own
/// connections, such as `sqlx::PgConnection`, whose queries are not traced.
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

    /// Sets the telemetry settings. Defaults to [`TraceOptions::new`].
    pub fn trace(mut self, trace: TraceOptions) -> Self {
        self.trace = trace;
        self
    }
}

/// Setters that delegate to sqlx's setter of the same name.
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
    /// Sets the maximum number of connections. Defaults to 10.
    max_connections: u32;
    /// Sets the minimum number of open connections. Defaults to 0.
    min_connections: u32;
    /// Sets the level at which sqlx logs the time of every acquire. Defaults to off.
    acquire_time_level: LevelFilter;
    /// Sets the level at which sqlx logs slow acquires. Defaults to warnings.
    acquire_slow_level: LevelFilter;
    /// Sets the duration from which sqlx calls an acquire slow. Defaults to 2 s.
    acquire_slow_threshold: Duration;
    /// Sets how long a request waits for a connection. Defaults to 30 s.
    acquire_timeout: Duration;
    /// Sets the maximum age of a connection. Defaults to 30 min.
    max_lifetime: impl Into<Option<Duration>>;
    /// Sets the maximum idle time of a connection. Defaults to 10 min.
    idle_timeout: impl Into<Option<Duration>>;
    /// Sets whether a connection is tested before it is handed out. Defaults to true.
    test_before_acquire: bool;
}

/// Getters that delegate to sqlx's getter of the same name.
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
    /// The maximum number of connections.
    get_max_connections: u32;
    /// The minimum number of open connections.
    get_min_connections: u32;
    /// The duration from which sqlx calls an acquire slow.
    get_acquire_slow_threshold: Duration;
    /// How long a request waits for a connection.
    get_acquire_timeout: Duration;
    /// The maximum age of a connection.
    get_max_lifetime: Option<Duration>;
    /// The maximum idle time of a connection.
    get_idle_timeout: Option<Duration>;
    /// Whether a connection is tested before it is handed out.
    get_test_before_acquire: bool;
}

/// Setters of callbacks that delegate to sqlx's setter of the same name.
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
    /// Sets the callback for a newly opened connection.
    after_connect: ();
    /// Sets the callback that decides whether an idle connection is still usable, before it is handed out.
    before_acquire: bool;
    /// Sets the callback that decides whether a returned connection is kept.
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
