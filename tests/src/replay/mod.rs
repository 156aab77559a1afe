//! Replays recorded spans, log records and metrics through the mapping, and compares with what Microsoft's
//! exporters made of them.
//!
//! A recording is a JSON file: per case the item that was given to an exporter (`input`), and the
//! envelopes that the Python exporter (`python`) and the Node.js exporter (`node`) sent for it. The two
//! disagree with each other, so neither is the reference. A field of ours is
//!
//! - **agreed** if it equals that of one of the two;
//! - **deviated** if it differs from both, a [rule](rules) says that it does for such an input, and it is
//!   what [`expected`] works out from the input;
//! - **failed** otherwise.
//!
//! Fields are compared by meaning: see [`item`] and [`compare`]. Of a case, the worst field counts.

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
