//! `/api/metrics`: the metrics, each with its dimensions and a small chart.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::metrics::points::{Aggregation, Of, Points};
use crate::api::metrics::standard::{STANDARD, STANDARD_DIMENSIONS, Standard};
use crate::api::numbers::Series;
use crate::api::parameters::{Parameters, RANGED};
use crate::server::ApiError;
use crate::store::{ItemFilter, ItemKind, Order, Reader, SeriesKind};

/// The number of newest items of a metric from which its dimensions are read.
const SAMPLE: usize = 60;
/// The maximum number of listed metrics.
const MAX_METRICS: usize = 1_000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricInfo {
    name: String,
    namespace: String,
    group: &'static str,
    title: String,
    unit: String,
    aggregations: Vec<&'static str>,
    dimensions: Vec<String>,
    series_count: usize,
    spark: Series,
}

#[derive(Debug, Serialize)]
struct Metrics {
    scope: Scope,
    metrics: Vec<MetricInfo>,
}

pub(in crate::api) async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED])?;
    answer(&context, move |_, reader| {
        let ask = Ask::new(reader, &parameters)?;
        let mut metrics = Vec::new();
        for standard in STANDARD {
            metrics.extend(standard_info(reader, &ask, standard)?);
        }
        for kind in [ItemKind::CustomMetric, ItemKind::PerformanceCounter] {
            metrics.extend(custom_infos(reader, &ask, kind)?);
        }
        Ok(Metrics {
            scope: ask.scope(0, true),
            metrics,
        })
    })
    .await
}

fn standard_info(
    reader: &Reader,
    ask: &Ask,
    standard: Standard,
) -> Result<Option<MetricInfo>, ApiError> {
    let steps = ask.steps();
    let mut points = Points::new(&steps);
    let mut series = BTreeSet::new();
    let accept = |series: &crate::store::Series| {
        ask.accepts(series) && (!standard.only_failed || series.dims.success == Some(false))
    };
    let range = (steps.grain, ask.range);
    reader.rollups(
        SeriesKind::Item(standard.kind),
        range,
        &accept,
        &mut |time, of, cell| {
            series.insert(of.id);
            points.add_cell(&steps, time, cell, standard.of());
        },
    )?;
    if series.is_empty() {
        return Ok(None);
    }
    let aggregation = if standard.is_duration {
        Aggregation::Avg
    } else {
        Aggregation::Sum
    };
    Ok(Some(MetricInfo {
        name: standard.name.to_owned(),
        namespace: String::new(),
        group: standard.group,
        title: standard.title.to_owned(),
        unit: if standard.is_duration {
            "ms".to_owned()
        } else {
            String::new()
        },
        aggregations: if standard.is_duration {
            vec!["avg", "min", "max", "count", "p50", "p95", "p99"]
        } else {
            vec!["sum", "count", "rate", "delta"]
        },
        dimensions: STANDARD_DIMENSIONS
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        series_count: series.len(),
        spark: Series::new(standard.name, &steps, points.values(&steps, aggregation)),
    }))
}

fn custom_infos(reader: &Reader, ask: &Ask, kind: ItemKind) -> Result<Vec<MetricInfo>, ApiError> {
    let steps = ask.steps();
    let mut all: BTreeMap<(String, String), Points> = BTreeMap::new();
    reader.rollups(
        SeriesKind::Item(kind),
        (steps.grain, ask.range),
        &|series| ask.accepts(series),
        &mut |time, series, cell| {
            let key = (series.dims.name.clone(), series.dims.type_name.clone());
            if all.len() < MAX_METRICS || all.contains_key(&key) {
                let points = all.entry(key).or_insert_with(|| Points::new(&steps));
                points.add_cell(&steps, time, cell, Of::Value);
            }
        },
    )?;
    let mut infos = Vec::with_capacity(all.len());
    for ((name, namespace), points) in all {
        let filter = ItemFilter {
            app: ask.app.clone(),
            roles: ask.roles.clone(),
            kinds: vec![kind],
            name: Some(name.clone()),
            range: ask.range,
            ..ItemFilter::default()
        };
        let mut keys = BTreeSet::from(["role".to_owned(), "instance".to_owned()]);
        let mut combinations = BTreeSet::new();
        let (items, ..) = reader.list(&filter, Order::Newest, SAMPLE)?;
        for item in &items {
            let mut combination = format!(
                "{}\u{1f}{}",
                item.role(),
                item.tag("ai.cloud.roleInstance").unwrap_or_default()
            );
            for (key, value) in item.envelope().data.properties().iter() {
                if !key.starts_with("_MS.") && key != "CustomPerfCounter" {
                    keys.insert(key.to_owned());
                    combination.push('\u{1f}');
                    combination.push_str(value);
                }
            }
            combinations.insert(combination);
        }
        let is_counter = kind == ItemKind::PerformanceCounter || name.starts_with('\\');
        infos.push(MetricInfo {
            group: if is_counter { "counter" } else { "custom" },
            title: name.rsplit('\\').next().unwrap_or(&name).to_owned(),
            unit: unit(&name).to_owned(),
            aggregations: vec![
                "avg", "sum", "min", "max", "count", "rate", "delta", "p50", "p95", "p99",
            ],
            dimensions: keys.into_iter().take(50).collect(),
            series_count: combinations.len(),
            spark: Series::new(&name, &steps, points.values(&steps, Aggregation::Avg)),
            name,
            namespace,
        });
    }
    Ok(infos)
}

/// The unit that the name suggests; the wire format has none.
pub(super) fn unit(name: &str) -> &'static str {
    let lower = name.to_lowercase();
    if lower.ends_with("bytes") || lower.contains("memory.usage") {
        "By"
    } else if lower.contains('%') {
        "%"
    } else if lower.ends_with("/sec") {
        "1/s"
    } else if lower.ends_with("duration") || lower.ends_with("time") || lower.ends_with("_ms") {
        "ms"
    } else {
        ""
    }
}
