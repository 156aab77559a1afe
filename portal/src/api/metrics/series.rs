//! `/api/metrics/series`: the values of a metric over time, split by dimensions.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope, Steps};
use crate::api::metrics::exemplars::{Exemplar, thinned};
use crate::api::metrics::groups::{Groups, Wanted, add_exemplars, gather};
use crate::api::metrics::list::unit;
use crate::api::metrics::points::{Aggregation, Points};
use crate::api::metrics::standard::STANDARD;
use crate::api::numbers::Series;
use crate::api::parameters::{Parameters, RANGED};
use crate::api::view::FieldView;
use crate::server::ApiError;
use crate::store::fields::Field;
use crate::store::{ItemKind, Reader};

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

pub(in crate::api) async fn series(
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
    let name = parameters.required("name")?;
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
