//! Results of the official Python exporter; its scores equal those of the Node.js exporter.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
pub(super) struct Golden {
    pub(super) vectors: Vec<Vector>,
    pub(super) round_down_to_nearest: Vec<Rounding>,
    pub(super) rate_limited_series: Vec<Series>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Vector {
    pub(super) trace_id: String,
    pub(super) hash_i32: i32,
    pub(super) score_0_1: f64,
    /// By ratio.
    pub(super) sampled: BTreeMap<String, bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Rounding {
    pub(super) input: f64,
    pub(super) output: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct Series {
    pub(super) target_per_second: f64,
    pub(super) calls: Vec<Call>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Call {
    pub(super) delta_ns: u64,
    pub(super) percent_rounded: f64,
    pub(super) percent_raw: f64,
    /// Spans and nanoseconds of the window.
    pub(super) state: [f64; 2],
}

pub(super) fn golden() -> Golden {
    serde_json::from_str(include_str!("golden/sampler.json")).unwrap()
}

/// The N of a percentage 100/N; 0 for none. The rounded number is exact, unlike one parsed from JSON.
pub(super) fn items_of(percent: f64) -> u32 {
    if percent == 0.0 {
        return 0;
    }
    let items = 100.0 / percent;
    assert!(
        (items - items.round()).abs() < 1e-9,
        "{percent} is not 100/N"
    );
    items.round() as u32
}
