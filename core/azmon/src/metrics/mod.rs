//! Metrics that nobody has to record: standard metrics, performance counters, statistics of the SDK.
//!
//! Invariants:
//! - Every span that ends counts, also those that are not sampled: charts stay true at any rate.
//! - Counting a span takes a lock that no other thread waits for: each thread has its own shard, and
//!   whoever finds one taken uses another. A dimension has a bounded number of values.
//! - What was counted is either in a shard or in an item on its way: an item is made only when there is
//!   room for it, and at the end.
//!
//! ```text
//! span ends ─► shard of the thread ─┐
//! /proc ────────────────────────────┼─► every 60 s, at a flush, at the end ─► items ─► the worker's encoder
//! answers of the service ───────────┘
//! ```

mod aggregate;
mod builtin;
mod performance;
mod shards;
mod span_metrics;
mod standard;
pub(crate) mod statistics;

pub(crate) use self::builtin::{BuiltinMetrics, BuiltinOptions};
pub(crate) use self::performance::{ProcessSample, process_sample};
pub(crate) use self::span_metrics::SpanMetrics;
