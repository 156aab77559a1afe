//! The limits of a query, and its push-down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::time::UNIX_EPOCH;

/// Cancels a running query. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Makes a token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Cancels the query at its next batch of rows.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the query was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The limits of a query.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum number of rows in the answer. Further rows are dropped, with a partial error. Defaults to 500
    /// 000.
    pub answer_rows: usize,
    /// The maximum size of the answer in bytes. Further rows are dropped, with a partial error. Defaults to 64
    /// MB.
    pub answer_bytes: usize,
    /// The maximum number of rows that one operator holds. Defaults to 5 000 000.
    pub operator_rows: usize,
    /// The maximum number of bytes that one operator holds. Defaults to 1 GB.
    pub operator_bytes: usize,
    /// The maximum number of columns after `pivot` and `bag_unpack`. Defaults to 10 000.
    pub columns: usize,
    /// The maximum running time. Defaults to 30 s.
    pub time: Duration,
    /// The maximum length of a query, in bytes. Defaults to 128 KiB.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            answer_rows: 500_000,
            answer_bytes: 64_000_000,
            operator_rows: 5_000_000,
            operator_bytes: 1_000_000_000,
            columns: 10_000,
            time: Duration::from_secs(30),
            text: 128 * 1024,
        }
    }
}

impl Limits {
    /// Sets the maximum running time.
    #[must_use]
    pub fn with_time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Sets the maximum number of rows in the answer.
    #[must_use]
    pub fn with_answer_rows(mut self, rows: usize) -> Self {
        self.answer_rows = rows;
        self
    }

    /// Sets the limits of one operator.
    #[must_use]
    pub fn with_operator(mut self, rows: usize, bytes: usize) -> Self {
        self.operator_rows = rows;
        self.operator_bytes = bytes;
        self
    }
}

/// The parts of a query that a table may execute. All by default.
///
/// The answers are the same with and without push-down; the switches exist so that tests can prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushDown {
    /// Comparisons of a column with constants, and [hints](crate::Hint) about texts.
    pub filters: bool,
    /// Reading only the needed columns.
    pub projection: bool,
    /// `take`, and `top` by one column.
    pub limit: bool,
    /// `count` without reading rows.
    pub count: bool,
}

impl Default for PushDown {
    fn default() -> Self {
        Self::new(true, true, true, true)
    }
}

impl PushDown {
    /// No push-down.
    pub const NONE: Self = Self::new(false, false, false, false);

    /// Sets each switch.
    #[must_use]
    pub const fn new(filters: bool, projection: bool, limit: bool, count: bool) -> Self {
        Self {
            filters,
            projection,
            limit,
            count,
        }
    }
}

/// The options of a query.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// `now()`, in ticks of 100 ns since 0001-01-01 UTC.
    pub now: i64,
    /// A time range that applies beside the query: start (inclusive) and end (exclusive), in ticks.
    pub timespan: Option<(i64, i64)>,
    /// The limits.
    pub limits: Limits,
    /// The push-down.
    pub push_down: PushDown,
    /// The cancellation token.
    pub cancel: CancelToken,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            now: ticks_of(SystemTime::now()),
            timespan: None,
            limits: Limits::default(),
            push_down: PushDown::default(),
            cancel: CancelToken::default(),
        }
    }
}

impl Options {
    /// Makes the default options, with the system's time.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `now()`, in ticks.
    #[must_use]
    pub fn with_now(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    /// Sets a time range that applies beside the query, in ticks, with an exclusive end.
    #[must_use]
    pub fn with_timespan(mut self, from: i64, to: i64) -> Self {
        self.timespan = Some((from, to));
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the push-down.
    #[must_use]
    pub fn with_push_down(mut self, push_down: PushDown) -> Self {
        self.push_down = push_down;
        self
    }

    /// Sets the cancellation token.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancelToken) -> Self {
        self.cancel = cancel;
        self
    }
}

/// A time in ticks of 100 ns since 0001-01-01 UTC.
#[must_use]
pub fn ticks_of(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let ticks = i64::try_from(since.as_nanos() / 100).unwrap_or(i64::MAX - UNIX_EPOCH);
    ticks.saturating_add(UNIX_EPOCH)
}
