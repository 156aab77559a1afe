//! Replays recorded spans, log records and metrics through the mapping, and compares the envelopes with those of
//! Microsoft's exporters.
//!
//! A recording is a JSON file. Each case contains the item that was given to an exporter (`input`), and the
//! envelopes that the Python exporter (`python`) and the Node.js exporter (`node`) sent for it. The two disagree
//! with each other, so neither is the reference. One of our fields
//!
//! - **agrees** if it equals that of one of the two;
//! - **deviates** if it differs from both, a [rule](rules) allows this for the input, and it equals the value
//!   that [`expected`] computes from the input;
//! - **fails** otherwise.
//!
//! Fields are compared by meaning: see [`item`] and [`compare`]. The worst field determines the verdict on a
//! case.

pub mod case;
pub mod compare;
pub mod expected;
pub mod input;
pub mod item;
pub mod judge;
pub mod log;
pub mod metrics;
pub mod report;
pub mod rule;
pub mod rules;
pub mod span;
