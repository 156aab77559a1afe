//! `/api/map/edge`: the calls between two nodes of the map.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::gather::{DEPENDENCY, buckets, by_key, total, was_by_key};
use crate::api::map::drawing::{Drawing, EdgeView, OperationShare};
use crate::api::map::graph::role_id;
use crate::api::numbers::{Distribution, Series};
use crate::api::parameters::Parameters;
use crate::server::ApiError;
use crate::store::SeriesKind;

#[derive(Debug, Serialize)]
struct NamedCount {
    name: String,
    count: i64,
    was: Option<i64>,
}

#[derive(Debug, Serialize)]
struct EdgeDetail {
    scope: Scope,
    edge: EdgeView,
    series: Vec<Series>,
    answers: Vec<NamedCount>,
    operations: Vec<OperationShare>,
    caller: Distribution,
    callee: Option<Distribution>,
}

pub(in crate::api) async fn edge(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(
        query.as_deref(),
        &[&["app", "from", "to", "run", "vs", "buckets", "id"]],
    )?;
    answer(&context, move |_, reader| {
        let id = parameters.required("id")?;
        let ask = Ask::new(reader, &parameters)?;
        let drawing = Drawing::new(reader, &ask)?;
        let found = drawing
            .graph
            .edges
            .iter()
            .find(|((source, target), _)| format!("{source}>{target}") == id);
        let (ends, edge) = found
            .ok_or_else(|| ApiError::not_found(format!("there is no edge {id:?} in this range")))?;
        let is_call = |series: &crate::store::Series| {
            let dims = &series.dims;
            role_id(&dims.role) == ends.0
                && edge.targets.contains(&dims.target)
                && edge.types.contains(&dims.type_name)
        };
        let is_matched = |series: &crate::store::Series| {
            is_call(series) && role_id(&series.dims.instance) == ends.1
        };
        let caller = buckets(reader, &ask, DEPENDENCY, is_call)?;
        let callee = buckets(reader, &ask, SeriesKind::EdgeCallee, is_matched)?;
        let codes = |series: &crate::store::Series| {
            (is_call(series) && series.dims.success == Some(false))
                .then(|| series.dims.result.clone())
        };
        let before = was_by_key(reader, &ask, DEPENDENCY, codes)?;
        let failed = by_key(reader, &ask, (DEPENDENCY, ask.range), codes)?;
        let mut answers: Vec<_> = failed
            .into_iter()
            .map(|(name, tally)| NamedCount {
                was: before.get(&name).map(|tally| tally.count),
                count: tally.count,
                name,
            })
            .collect();
        answers.sort_by_key(|answer| (std::cmp::Reverse(answer.count), answer.name.clone()));
        let by_name =
            |series: &crate::store::Series| is_call(series).then(|| series.dims.name.clone());
        let before = was_by_key(reader, &ask, DEPENDENCY, by_name)?;
        let mut operations: Vec<_> = by_key(reader, &ask, (DEPENDENCY, ask.range), by_name)?
            .into_iter()
            .map(|(name, tally)| OperationShare {
                stats: ask.stats(&tally),
                was: ask.was(before.get(&name)),
                role: ends.0.strip_prefix("role:").unwrap_or_default().to_owned(),
                name,
            })
            .collect();
        operations.sort_by(|a, b| b.stats.sum_ms.total_cmp(&a.stats.sum_ms));
        operations.truncate(50);
        let callee_total = total(
            reader,
            &ask,
            (SeriesKind::EdgeCallee, ask.range),
            is_matched,
        )?;
        Ok(EdgeDetail {
            scope: ask.scope(0, true),
            edge: drawing.edge(&ask, ends, edge),
            series: vec![
                caller.rate("calls"),
                caller.failed("failed"),
                caller.series("caller p95", |tally| tally.percentile(0.95)),
                callee.series("callee p95", |tally| tally.percentile(0.95)),
            ],
            answers,
            operations,
            caller: caller.total().distribution(),
            callee: (callee_total.count > 0).then(|| callee_total.distribution()),
        })
    })
    .await
}
