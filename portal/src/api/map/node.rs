//! `/api/map/node`: one role or dependency of the map.

use std::collections::HashMap;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::category::Category;
use crate::api::gather::{DEPENDENCY, PAGE_VIEW, REQUEST, buckets, by_key, was_by_key};
use crate::api::map::drawing::{Drawing, NodeView, OperationShare};
use crate::api::map::graph::Graph;
use crate::api::numbers::{Series, Stats};
use crate::api::parameters::Parameters;
use crate::api::resources::{Resources, resources};
use crate::api::time::Time;
use crate::server::ApiError;
use crate::store::Reader;

/// The number of rows in a short list.
const TOP: usize = 5;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InstanceView {
    name: String,
    stats: Stats,
    cpu_percent: Option<f64>,
    memory_bytes: Option<f64>,
    last_seen: Time,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct CallsPerRequest {
    node: String,
    name: String,
    category: Category,
    per_request: f64,
    was: Option<f64>,
}

#[derive(Debug, Serialize)]
struct NodeDetail {
    scope: Scope,
    node: NodeView,
    series: Vec<Series>,
    failing: Vec<OperationShare>,
    slowest: Vec<OperationShare>,
    instances: Vec<InstanceView>,
    calls: Vec<CallsPerRequest>,
}

pub(in crate::api) async fn node(
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
        let missing = || ApiError::not_found(format!("there is no node {id:?} in this range"));
        let node = drawing.graph.nodes.get(id).ok_or_else(missing)?;
        let is_role = node.type_name.is_none();
        let name = node.name.as_str();
        let kind = match (is_role, node.is_browser) {
            (true, true) => PAGE_VIEW,
            (true, false) => REQUEST,
            (false, _) => DEPENDENCY,
        };
        let is_of_node = |series: &crate::store::Series| {
            let dims = &series.dims;
            match &node.type_name {
                None => dims.role == name,
                Some(type_name) => {
                    dims.type_name == *type_name
                        && (dims.target == name || (dims.target.is_empty() && type_name == name))
                }
            }
        };
        let chart = buckets(reader, &ask, kind, is_of_node)?;
        let by_name = |series: &crate::store::Series| {
            is_of_node(series).then(|| (series.dims.role.clone(), series.dims.name.clone()))
        };
        let operations = by_key(reader, &ask, (kind, ask.range), by_name)?;
        let before = was_by_key(reader, &ask, kind, by_name)?;
        let share =
            |(key, tally): (&(String, String), &crate::api::numbers::Tally)| OperationShare {
                name: key.1.clone(),
                role: key.0.clone(),
                stats: ask.stats(tally),
                was: ask.was(before.get(key)),
            };
        let mut failing: Vec<_> = operations
            .iter()
            .filter(|(_, tally)| tally.failed > 0)
            .map(share)
            .collect();
        failing.sort_by_key(|row| (std::cmp::Reverse(row.stats.failed), row.name.clone()));
        failing.truncate(TOP);
        let mut slowest: Vec<_> = operations.iter().map(share).collect();
        slowest.sort_by(|a, b| {
            b.stats
                .p95_ms
                .unwrap_or(0.0)
                .total_cmp(&a.stats.p95_ms.unwrap_or(0.0))
        });
        slowest.truncate(TOP);
        Ok(NodeDetail {
            scope: ask.scope(0, true),
            node: drawing.node(&ask, id, node),
            series: vec![
                chart.rate("requests"),
                chart.failed("failed"),
                chart.series("p95", |tally| tally.percentile(0.95)),
            ],
            failing,
            slowest,
            instances: if is_role {
                instances(reader, &ask, name)?
            } else {
                Vec::new()
            },
            calls: if is_role {
                calls(&drawing, id)
            } else {
                Vec::new()
            },
        })
    })
    .await
}

fn instances(reader: &Reader, ask: &Ask, role: &str) -> Result<Vec<InstanceView>, ApiError> {
    let tallies = by_key(reader, ask, (REQUEST, ask.range), |series| {
        (series.dims.role == role).then(|| series.dims.instance.clone())
    })?;
    let used: HashMap<(String, String), Resources> = resources(reader, ask)?;
    let mut views = Vec::new();
    for instance in reader.instances(ask.app.as_deref())? {
        let is_here = instance.role == role
            && instance.last >= ask.range.from
            && instance.first < ask.range.to;
        if !is_here || instance.is_browser {
            continue;
        }
        let tally = tallies.get(&instance.instance).cloned().unwrap_or_default();
        let used = used
            .get(&(role.to_owned(), instance.instance.clone()))
            .copied()
            .unwrap_or_default();
        views.push(InstanceView {
            name: instance.instance,
            stats: ask.stats(&tally),
            cpu_percent: used.cpu_percent,
            memory_bytes: used.memory_bytes,
            last_seen: Time(instance.last),
        });
    }
    views.sort_by(|a, b| a.name.cmp(&b.name));
    views.truncate(100);
    Ok(views)
}

/// Calls to each neighbour per request of the role.
fn calls(drawing: &Drawing, id: &str) -> Vec<CallsPerRequest> {
    let per_request = |graph: &Graph, ends: &(String, String)| {
        let requests = graph.nodes.get(&ends.0).map_or(0, |node| node.tally.count);
        let calls = graph.edges.get(ends).map_or(0, |edge| edge.caller.count);
        (requests > 0).then(|| calls as f64 / requests as f64)
    };
    let edges = drawing.graph.edges.keys().filter(|ends| ends.0 == id);
    let mut calls: Vec<_> = edges
        .filter_map(|ends| {
            let node = drawing.graph.nodes.get(&ends.1)?;
            Some(CallsPerRequest {
                node: ends.1.clone(),
                name: node.name.clone(),
                category: if node.type_name.is_none() {
                    Category::Rpc
                } else {
                    node.category
                },
                per_request: per_request(&drawing.graph, ends)?,
                was: drawing.was.as_ref().and_then(|was| per_request(was, ends)),
            })
        })
        .collect();
    calls.sort_by(|a, b| b.per_request.total_cmp(&a.per_request));
    calls
}
