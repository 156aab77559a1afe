//! Built-in metrics: standard metrics, performance counters, SDK statistics.
//!
//! Invariants:
//! - Every span that ends is counted, including unsampled ones: charts stay correct at any sampling rate.
//! - Counting a span takes a lock for which no other thread waits: each thread has its own shard, and a thread that
//!   finds its shard locked uses another one. Each dimension has a bounded number of values.
//! - A counted value is either in a shard or in an item on its way: the worker makes an item only if the outbox has
//!   room for it, and at the end.
//!
//! ```text
//! span ends ─► shard of the thread ─┐
//! /proc ────────────────────────────┼─► every 60 s, at a flush, at the end ─► items ─► the worker's encoder
//! answers of the service ───────────┘
//! ```

mod aggregate;
mod builtin;
mod counted_request;
mod performance;
mod series;
mod span_metrics;
mod standard;
pub(crate) mod statistics;

pub(crate) use self::builtin::{BuiltinMetrics, BuiltinOptions};
pub(crate) use self::counted_request::CountedRequest;
pub(crate) use self::performance::{ProcessSample, process_sample};
pub(crate) use self::span_metrics::SpanMetrics;
