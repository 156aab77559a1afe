//! CPU and memory of instances, from the performance counters of the SDKs.

use std::collections::HashMap;

use crate::api::ask::Ask;
use crate::server::ApiError;
use crate::store::{ItemKind, Reader, SeriesKind};

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Resources {
    pub(super) cpu_percent: Option<f64>,
    pub(super) memory_bytes: Option<f64>,
}

/// Suffixes of metric names for a process' CPU share, in percent.
const CPU: [&str; 3] = [
    "% Processor Time Normalized",
    "\\Process(??APP_WIN32_PROC??)\\% Processor Time",
    "process.cpu.utilization",
];
const MEMORY: [&str; 4] = [
    "\\Process(??APP_WIN32_PROC??)\\Private Bytes",
    "\\Process\\Physical Bytes",
    "process.memory.usage",
    "process.memory.rss",
];

/// Averages by role and instance over the last buckets of the range.
pub(super) fn resources(
    reader: &Reader,
    ask: &Ask,
) -> Result<HashMap<(String, String), Resources>, ApiError> {
    let mut found: HashMap<(String, String), Resources> = HashMap::new();
    for (names, is_cpu) in [(CPU.as_slice(), true), (MEMORY.as_slice(), false)] {
        for kind in [ItemKind::CustomMetric, ItemKind::PerformanceCounter] {
            let accept = |series: &crate::store::Series| {
                ask.accepts(series) && names.iter().any(|name| series.dims.name.ends_with(name))
            };
            let range = (ask.grain(ask.range), ask.range);
            // Later buckets replace earlier ones: the result shows the present.
            reader.rollups(
                SeriesKind::Item(kind),
                range,
                &accept,
                &mut |_, series, cell| {
                    let key = (series.dims.role.clone(), series.dims.instance.clone());
                    let used = found.entry(key).or_default();
                    let mean = cell.sum / cell.count.max(1) as f64;
                    let is_share = series.dims.name.ends_with("utilization");
                    if is_cpu {
                        used.cpu_percent = Some(if is_share { mean * 100.0 } else { mean });
                    } else {
                        used.memory_bytes = Some(mean);
                    }
                },
            )?;
        }
    }
    Ok(found)
}
