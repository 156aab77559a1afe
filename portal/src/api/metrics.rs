//! `/api/metrics` and `/api/metrics/series`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::ControlFlow;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope, Steps};
use crate::api::numbers::Series;
use crate::api::parameters::{Parameters, RANGED};
use crate::api::points::{Aggregation, Of, Points};
use crate::api::standard_metrics::{STANDARD, STANDARD_DIMENSIONS, Standard};
use crate::api::time::Time;
use crate::api::view::FieldView;
use crate::server::ApiError;
use crate::store::fields::Field;
use crate::store::said::metric_value;
use crate::store::{Cell, Item, ItemFilter, ItemKind, Order, Range, Reader, SeriesKind};

/// The number of newest items of a metric from which its dimensions are read.
const SAMPLE: usize = 60;
/// The maximum number of listed metrics.
const MAX_METRICS: usize = 1_000;
/// The maximum number of series before the largest are selected.
const MAX_SERIES: usize = 2_000;

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

pub(super) async fn list(
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
fn unit(name: &str) -> &'static str {
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

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Exemplar {
    timestamp: Time,
    value: f64,
    operation_id: String,
    item_id: u64,
    success: bool,
    name: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricSeries {
    key: Vec<FieldView>,
    is_others: bool,
    series: Series,
    last: Option<f64>,
    min: Option<f64>,
    avg: Option<f64>,
    max: Option<f64>,
    count: i64,
    was: Option<f64>,
    exemplars: Vec<Exemplar>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MetricData {
    scope: Scope,
    name: String,
    aggregation: &'static str,
    unit: String,
    series: Vec<MetricSeries>,
    series_count: usize,
}

const OWN: [&str; 8] = [
    "name",
    "namespace",
    "aggregation",
    "split",
    "top",
    "f",
    "stepMs",
    "exemplars",
];

/// The parameters of a metric request.
struct Wanted {
    standard: Option<Standard>,
    filter: ItemFilter,
    namespace: Option<String>,
    split: Vec<(String, Field)>,
    aggregation: Aggregation,
}

impl Wanted {
    fn of(&self) -> Of {
        self.standard.map_or(Of::Value, Standard::of)
    }
}

type Groups = HashMap<Vec<String>, (Points, Vec<Exemplar>)>;

pub(super) async fn series(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED, &OWN])?;
    answer(&context, move |_, reader| series_of(reader, &parameters)).await
}

fn series_of(reader: &Reader, parameters: &Parameters) -> Result<MetricData, ApiError> {
    let mut ask = Ask::new(reader, parameters)?;
    if let Some(step) = parameters.parsed::<i64>("stepMs")? {
        let buckets = ask.range.length() / step.max(1).saturating_mul(1_000);
        ask.buckets = usize::try_from(buckets).unwrap_or(1).clamp(1, 500);
    } else if parameters.get("buckets").is_none() {
        ask.buckets = 90;
    }
    let name = parameters
        .get("name")
        .ok_or_else(|| ApiError::bad_request("name is missing"))?;
    let wanted = wanted(&ask, parameters, name)?;
    let top = parameters.limit("top", 5, 50)?;
    let exemplars = parameters.limit("exemplars", 1, 5)?;
    let steps = ask.steps();
    let (mut groups, read, is_complete) = gather(reader, &ask, &wanted, ask.range, &steps)?;
    if let Some(standard) = wanted
        .standard
        .filter(|standard| standard.is_duration && exemplars > 0)
    {
        add_exemplars(reader, &wanted, standard, &steps, exemplars, &mut groups)?;
    }
    let was = match ask.vs {
        Some(vs) => {
            let one = Steps {
                count: 1,
                start: vs.from,
                step: vs.length().max(1),
                grain: ask.grain(vs),
            };
            gather(reader, &ask, &wanted, vs, &one)?.0
        }
        None => Groups::new(),
    };
    let series_count = groups.len();
    let mut sorted: Vec<_> = groups.into_iter().collect();
    sorted.sort_by(|a, b| {
        b.1.0
            .size()
            .total_cmp(&a.1.0.size())
            .then_with(|| a.0.cmp(&b.0))
    });
    let others = sorted.split_off(sorted.len().min(top));
    let mut series: Vec<_> = sorted
        .into_iter()
        .map(|(key, (points, found))| {
            let was = was
                .get(&key)
                .and_then(|(points, _)| points.total().value(wanted.aggregation));
            one_series(
                &wanted,
                &steps,
                (key, false),
                &points,
                was,
                thinned(found, &steps, exemplars),
            )
        })
        .collect();
    if !others.is_empty() {
        let mut points = Points::new(&steps);
        for (_, (other, _)) in &others {
            points.merge(other);
        }
        let key = vec![format!("{} others", others.len())];
        series.push(one_series(
            &wanted,
            &steps,
            (key, true),
            &points,
            None,
            Vec::new(),
        ));
    }
    Ok(MetricData {
        scope: ask.scope(read, is_complete),
        name: name.to_owned(),
        aggregation: wanted.aggregation.as_str(),
        unit: match wanted.standard {
            Some(standard) if standard.is_duration => "ms".to_owned(),
            Some(_) => String::new(),
            None => unit(name).to_owned(),
        },
        series,
        series_count,
    })
}

fn wanted(ask: &Ask, parameters: &Parameters, name: &str) -> Result<Wanted, ApiError> {
    let standard = STANDARD.into_iter().find(|standard| standard.name == name);
    let default = match standard {
        Some(standard) if !standard.is_duration => "sum",
        _ => "avg",
    };
    let asked = parameters.get("aggregation").unwrap_or(default);
    let aggregation = Aggregation::parse(asked).ok_or_else(|| {
        ApiError::bad_request(format!(
            "aggregation {asked:?} is none of avg, sum, min, max, count, unique, rate, delta, p50, p95, p99"
        ))
    })?;
    // Here `name` is the metric's name, and `op` is not a parameter.
    let mut filter = ask.filter(parameters)?;
    match standard {
        Some(standard) => {
            filter.kinds = vec![standard.kind];
            filter.success = standard.only_failed.then_some(false);
        }
        None => {
            filter.kinds = vec![ItemKind::CustomMetric, ItemKind::PerformanceCounter];
            filter.name = Some(name.to_owned());
        }
    }
    Ok(Wanted {
        standard,
        filter,
        namespace: parameters.owned("namespace"),
        split: parameters
            .all("split")
            .map(|name| (name.to_owned(), Field::parse(name)))
            .collect(),
        aggregation,
    })
}

/// Points by the values of the split dimensions.
fn gather(
    reader: &Reader,
    ask: &Ask,
    wanted: &Wanted,
    range: Range,
    steps: &Steps,
) -> Result<(Groups, usize, bool), ApiError> {
    let needs_items = !wanted.filter.filters.is_empty()
        || wanted
            .split
            .iter()
            .any(|(_, field)| of_series(field).is_none())
        || (wanted.standard.is_none() && wanted.aggregation.is_percentile())
        || wanted.aggregation == Aggregation::Unique;
    if needs_items {
        from_items(reader, wanted, range, steps)
    } else {
        from_rollups(reader, ask, wanted, range, steps)
    }
}

type Dimension = fn(&crate::store::Series) -> String;

/// The series dimension that corresponds to a field.
fn of_series(field: &Field) -> Option<Dimension> {
    use crate::store::fields::Column;
    let Field::Column(column) = field else {
        return None;
    };
    Some(match column {
        Column::Role => |series| series.dims.role.clone(),
        Column::Instance => |series| series.dims.instance.clone(),
        Column::Name => |series| series.dims.name.clone(),
        Column::Target => |series| series.dims.target.clone(),
        Column::Type => |series| series.dims.type_name.clone(),
        Column::ResultCode => |series| series.dims.result.clone(),
        Column::OperationName => |series| series.dims.operation.clone(),
        Column::Success => |series| match series.dims.success {
            Some(true) => "True".to_owned(),
            Some(false) => "False".to_owned(),
            None => String::new(),
        },
        _ => return None,
    })
}

fn from_rollups(
    reader: &Reader,
    ask: &Ask,
    wanted: &Wanted,
    range: Range,
    steps: &Steps,
) -> Result<(Groups, usize, bool), ApiError> {
    let mut groups = Groups::new();
    let dimensions: Vec<Dimension> = wanted
        .split
        .iter()
        .filter_map(|(_, field)| of_series(field))
        .collect();
    let of = wanted.of();
    for kind in &wanted.filter.kinds {
        let accept = |series: &crate::store::Series| {
            ask.accepts(series)
                && wanted.filter.accepts(series)
                && wanted
                    .namespace
                    .as_deref()
                    .is_none_or(|namespace| namespace == series.dims.type_name)
        };
        let visit = &mut |time, series: &crate::store::Series, cell: &Cell| {
            let key: Vec<String> = dimensions
                .iter()
                .map(|dimension| dimension(series))
                .collect();
            if groups.len() < MAX_SERIES || groups.contains_key(&key) {
                let (points, _) = groups
                    .entry(key)
                    .or_insert_with(|| (Points::new(steps), Vec::new()));
                points.add_cell(steps, time, cell, of);
            }
        };
        reader.rollups(
            SeriesKind::Item(*kind),
            (steps.grain, range),
            &accept,
            visit,
        )?;
    }
    Ok((groups, 0, true))
}

fn from_items(
    reader: &Reader,
    wanted: &Wanted,
    range: Range,
    steps: &Steps,
) -> Result<(Groups, usize, bool), ApiError> {
    let mut groups = Groups::new();
    let filter = ItemFilter {
        range,
        ..wanted.filter.clone()
    };
    let scanned = reader.matching(&filter, Order::Newest, &mut |item, row| {
        let is_of_namespace = wanted
            .namespace
            .as_deref()
            .is_none_or(|namespace| item.type_name().unwrap_or_default() == namespace);
        if !is_of_namespace {
            return ControlFlow::Continue(());
        }
        let key: Vec<String> = wanted
            .split
            .iter()
            .map(|(_, field)| {
                field
                    .of(&item)
                    .map(|value| value.text().into_owned())
                    .unwrap_or_default()
            })
            .collect();
        if groups.len() < MAX_SERIES || groups.contains_key(&key) {
            let (points, exemplars) = groups
                .entry(key)
                .or_insert_with(|| (Points::new(steps), Vec::new()));
            points.add_item(steps, row.time, &item, wanted.of());
            exemplars.extend(sent_exemplars(&item));
        }
        ControlFlow::Continue(())
    })?;
    Ok((groups, scanned.read, !scanned.is_cut))
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

fn sent_exemplars(item: &Item) -> Vec<Exemplar> {
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

/// Adds some of the newest items of each series as exemplars of its durations.
fn add_exemplars(
    reader: &Reader,
    wanted: &Wanted,
    standard: Standard,
    steps: &Steps,
    per_bucket: usize,
    groups: &mut Groups,
) -> Result<(), ApiError> {
    const MAX_LOOKED_AT: usize = 1_000;
    let mut count = 0;
    let filter = ItemFilter {
        kinds: vec![standard.kind],
        ..wanted.filter.clone()
    };
    reader.matching(&filter, Order::Newest, &mut |item, row| {
        count += 1;
        let key: Vec<String> = wanted
            .split
            .iter()
            .map(|(_, field)| {
                field
                    .of(&item)
                    .map(|value| value.text().into_owned())
                    .unwrap_or_default()
            })
            .collect();
        if let (Some(operation), Some(duration), Some((_, exemplars))) =
            (item.operation_id(), item.duration(), groups.get_mut(&key))
        {
            exemplars.push(Exemplar {
                timestamp: Time(row.time),
                value: duration.as_secs_f64() * 1_000.0,
                operation_id: operation.to_owned(),
                item_id: item.id(),
                success: item.success().unwrap_or(true),
                name: item.name().into_owned(),
            });
        }
        if count < MAX_LOOKED_AT {
            ControlFlow::Continue(())
        } else {
            ControlFlow::Break(())
        }
    })?;
    for (_, exemplars) in groups.values_mut() {
        *exemplars = thinned(std::mem::take(exemplars), steps, per_bucket);
    }
    Ok(())
}

/// The largest exemplars of each bucket, failed ones first.
fn thinned(mut exemplars: Vec<Exemplar>, steps: &Steps, per_bucket: usize) -> Vec<Exemplar> {
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

fn one_series(
    wanted: &Wanted,
    steps: &Steps,
    (values, is_others): (Vec<String>, bool),
    points: &Points,
    was: Option<f64>,
    exemplars: Vec<Exemplar>,
) -> MetricSeries {
    let charted = points.values(steps, wanted.aggregation);
    let total = points.total();
    let name = values.join(", ");
    let key = match is_others {
        true => Vec::new(),
        false => wanted
            .split
            .iter()
            .zip(values)
            .map(|((field, _), value)| FieldView::new(field, value))
            .collect(),
    };
    MetricSeries {
        key,
        is_others,
        last: charted.iter().rev().flatten().next().copied(),
        min: charted.iter().flatten().copied().min_by(f64::total_cmp),
        max: charted.iter().flatten().copied().max_by(f64::total_cmp),
        avg: total.value(if wanted.aggregation.is_of_time() {
            Aggregation::Sum
        } else {
            wanted.aggregation
        }),
        count: total.count(),
        series: Series::new(&name, steps, charted),
        was,
        exemplars,
    }
}
