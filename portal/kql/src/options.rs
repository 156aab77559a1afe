//! What bounds a query, and what it may push down.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use crate::time::UNIX_EPOCH;

/// Asks a running query to end; clones belong together.
#[derive(Debug, Clone, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that was not used.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the query at its next batch of rows.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the query shall end.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a query may use at most.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// Rows of the answer; more are cut, with a partial error. Defaults to 500 000.
    pub answer_rows: usize,
    /// Bytes of the answer; more are cut, with a partial error. Defaults to 64 MB.
    pub answer_bytes: usize,
    /// Rows that one operator holds. Defaults to 5 000 000.
    pub operator_rows: usize,
    /// Bytes that one operator holds. Defaults to 1 GB.
    pub operator_bytes: usize,
    /// Columns after `pivot` and `bag_unpack`. Defaults to 10 000.
    pub columns: usize,
    /// Running time. Defaults to 30 s.
    pub time: Duration,
    /// Bytes of a query's text. Defaults to 128 KiB.
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
    /// Another running time.
    #[must_use]
    pub fn with_time(mut self, time: Duration) -> Self {
        self.time = time;
        self
    }

    /// Another number of rows of the answer.
    #[must_use]
    pub fn with_answer_rows(mut self, rows: usize) -> Self {
        self.answer_rows = rows;
        self
    }

    /// Other bounds of one operator.
    #[must_use]
    pub fn with_operator(mut self, rows: usize, bytes: usize) -> Self {
        self.operator_rows = rows;
        self.operator_bytes = bytes;
        self
    }
}

/// Which parts of a query a table may take over. All by default.
///
/// Answers are the same with and without; the switches exist to prove it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct PushDown {
    /// Comparisons of a column with constants.
    pub filters: bool,
    /// Reading the needed columns alone.
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
    /// Nothing is pushed down.
    pub const NONE: Self = Self::new(false, false, false, false);

    /// Each switch as given.
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

/// How a query runs.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// `now()`, in ticks of 100 ns since 0001-01-01 UTC.
    pub now: i64,
    /// A time range from outside the query: from (inclusive) and to (exclusive), in ticks.
    pub timespan: Option<(i64, i64)>,
    /// Bounds.
    pub limits: Limits,
    /// Push-down.
    pub push_down: PushDown,
    /// Cancellation.
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
    /// Options with the system's time and defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Another `now()`, in ticks.
    #[must_use]
    pub fn with_now(mut self, now: i64) -> Self {
        self.now = now;
        self
    }

    /// A time range from outside the query, in ticks, the end exclusive.
    #[must_use]
    pub fn with_timespan(mut self, from: i64, to: i64) -> Self {
        self.timespan = Some((from, to));
        self
    }

    /// Other bounds.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Other push-down.
    #[must_use]
    pub fn with_push_down(mut self, push_down: PushDown) -> Self {
        self.push_down = push_down;
        self
    }

    /// A token that ends the query.
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
