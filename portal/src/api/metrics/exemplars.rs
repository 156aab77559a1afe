//! Exemplars: items behind a point of a metric.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::api::ask::Steps;
use crate::api::time::Time;
use crate::store::Item;
use crate::store::said::metric_value;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Exemplar {
    pub(super) timestamp: Time,
    pub(super) value: f64,
    pub(super) operation_id: String,
    pub(super) item_id: u64,
    pub(super) success: bool,
    pub(super) name: String,
}

/// An exemplar as the OpenTelemetry receiver stores it, in an envelope's `exemplars`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    time: i64,
    value: f64,
    #[serde(default)]
    operation_id: String,
}

#[derive(Debug, Deserialize)]
struct SentExemplars {
    #[serde(default)]
    exemplars: Vec<Sent>,
}

pub(super) fn sent_exemplars(item: &Item) -> Vec<Exemplar> {
    if metric_value(&item.envelope().data).is_none() || !item.json().contains("\"exemplars\"") {
        return Vec::new();
    }
    let sent: SentExemplars = match serde_json::from_str(item.json()) {
        Ok(sent) => sent,
        Err(_) => return Vec::new(),
    };
    let known = sent
        .exemplars
        .into_iter()
        .filter(|exemplar| !exemplar.operation_id.is_empty() && exemplar.value.is_finite());
    known
        .map(|exemplar| Exemplar {
            timestamp: Time(exemplar.time),
            value: exemplar.value,
            operation_id: exemplar.operation_id,
            item_id: item.id(),
            success: true,
            name: item.name().into_owned(),
        })
        .collect()
}

/// The largest exemplars of each bucket, failed ones first.
pub(super) fn thinned(
    mut exemplars: Vec<Exemplar>,
    steps: &Steps,
    per_bucket: usize,
) -> Vec<Exemplar> {
    exemplars.sort_by(|a, b| {
        a.success
            .cmp(&b.success)
            .then_with(|| b.value.total_cmp(&a.value))
    });
    let mut counts: HashMap<Option<usize>, usize> = HashMap::new();
    exemplars.retain(|exemplar| {
        let count = counts.entry(steps.index(exemplar.timestamp.0)).or_default();
        *count += 1;
        *count <= per_bucket
    });
    exemplars.sort_by_key(|exemplar| exemplar.timestamp);
    exemplars
}
