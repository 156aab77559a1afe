//! `/api/map`, `/api/map/node`, `/api/map/edge`.

use std::collections::{BTreeMap, HashMap};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::category::Category;
use crate::api::gather::{DEPENDENCY, PAGE_VIEW, REQUEST, buckets, by_key, total, was_by_key};
use crate::api::graph::{Edge, Graph, Node, role_id};
use crate::api::numbers::{Distribution, Series, Stats};
use crate::api::parameters::{Parameters, RANGED};
use crate::api::resources::{Resources, resources};
use crate::api::time::Time;
use crate::server::ApiError;
use crate::store::{Reader, SeriesKind};

/// The number of rows in a short list.
const TOP: usize = 5;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeView {
    id: String,
    kind: &'static str,
    name: String,
    r#type: Option<String>,
    category: Category,
    is_browser: bool,
    has_own_telemetry: bool,
    version: Option<String>,
    instances: usize,
    stats: Stats,
    was: Option<Stats>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EdgeView {
    id: String,
    source: String,
    target: String,
    types: Vec<String>,
    targets: Vec<String>,
    caller: Stats,
    callee: Option<Stats>,
    matched: i64,
    network_ms: Option<f64>,
    caller_was: Option<Stats>,
    is_new: bool,
    is_gone: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Percentiles {
    duration_ms: BTreeMap<&'static str, f64>,
    calls: BTreeMap<&'static str, f64>,
    failed_share: BTreeMap<&'static str, f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Map {
    scope: Scope,
    nodes: Vec<NodeView>,
    edges: Vec<EdgeView>,
    percentiles: Percentiles,
    roleless: i64,
    other_items: i64,
}

/// The graphs of a request, and the instances of the roles.
struct Drawing {
    graph: Graph,
    was: Option<Graph>,
    versions: HashMap<String, (Option<String>, usize)>,
}

impl Drawing {
    fn new(reader: &Reader, ask: &Ask) -> Result<Self, ApiError> {
        let was = match ask.vs {
            Some(vs) => Some(Graph::new(reader, ask, vs)?),
            None => None,
        };
        let mut versions: HashMap<String, (Option<String>, usize)> = HashMap::new();
        let mut newest: HashMap<String, i64> = HashMap::new();
        for instance in reader.instances(ask.app.as_deref())? {
            if instance.last < ask.range.from || instance.first >= ask.range.to {
                continue;
            }
            let (version, count) = versions.entry(instance.role.clone()).or_default();
            *count += 1;
            let last = newest.entry(instance.role).or_insert(i64::MIN);
            if instance.last >= *last && !instance.version.is_empty() {
                *last = instance.last;
                *version = Some(instance.version);
            }
        }
        Ok(Self {
            graph: Graph::new(reader, ask, ask.range)?,
            was,
            versions,
        })
    }

    fn node(&self, ask: &Ask, id: &str, node: &Node) -> NodeView {
        let is_role = node.type_name.is_none();
        let (version, instances) = match is_role {
            true => self.versions.get(&node.name).cloned().unwrap_or_default(),
            false => (None, 0),
        };
        let was = self.was.as_ref().and_then(|was| was.nodes.get(id));
        NodeView {
            id: id.to_owned(),
            kind: if is_role { "role" } else { "dependency" },
            name: node.name.clone(),
            r#type: node.type_name.clone(),
            category: node.category,
            is_browser: node.is_browser,
            has_own_telemetry: node.has_own_telemetry,
            version,
            instances,
            stats: ask.stats(&node.tally),
            was: ask.was(was.map(|node| &node.tally)),
        }
    }

    fn edge(&self, ask: &Ask, ends: &(String, String), edge: &Edge) -> EdgeView {
        let was = self.was.as_ref().and_then(|was| was.edges.get(ends));
        let has_callee = edge.callee.count > 0;
        let network = edge.matched.average().zip(edge.callee.average());
        EdgeView {
            id: format!("{}>{}", ends.0, ends.1),
            source: ends.0.clone(),
            target: ends.1.clone(),
            types: edge.types.iter().cloned().collect(),
            targets: edge.targets.iter().cloned().collect(),
            caller: ask.stats(&edge.caller),
            callee: has_callee.then(|| ask.stats(&edge.callee)),
            matched: edge.matched.count,
            network_ms: network.map(|(waited, worked)| (waited - worked).max(0.0)),
            caller_was: ask.was(was.map(|edge| &edge.caller)),
            is_new: self.was.is_some() && was.is_none(),
            is_gone: false,
        }
    }
}

pub(super) async fn map(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED])?;
    answer(&context, move |context, reader| {
        let ask = Ask::new(reader, &parameters)?;
        let drawing = Drawing::new(reader, &ask)?;
        let mut nodes: Vec<_> = drawing
            .graph
            .nodes
            .iter()
            .map(|(id, node)| drawing.node(&ask, id, node))
            .collect();
        let mut edges: Vec<_> = drawing
            .graph
            .edges
            .iter()
            .map(|(ends, edge)| drawing.edge(&ask, ends, edge))
            .collect();
        let percentiles = percentiles(&edges);
        // Edges that exist only in the comparison range are drawn, too.
        for (ends, edge) in drawing.was.iter().flat_map(|was| &was.edges) {
            if !drawing.graph.edges.contains_key(ends) {
                let mut view = drawing.edge(
                    &ask,
                    ends,
                    &Edge {
                        types: edge.types.clone(),
                        targets: edge.targets.clone(),
                        ..Edge::default()
                    },
                );
                view.is_gone = true;
                view.is_new = false;
                edges.push(view);
                for id in [&ends.0, &ends.1] {
                    let known = drawing.was.as_ref().and_then(|was| was.nodes.get(id));
                    if let Some(node) = known
                        && !nodes.iter().any(|node| node.id == *id)
                    {
                        nodes.push(drawing.node(
                            &ask,
                            id,
                            &Node {
                                tally: Default::default(),
                                ..node.clone()
                            },
                        ));
                    }
                }
            }
        }
        let all = context
            .store
            .counters()
            .items
            .load(std::sync::atomic::Ordering::Relaxed);
        let drawn: i64 = [
            crate::store::ItemKind::Request,
            crate::store::ItemKind::Dependency,
            crate::store::ItemKind::PageView,
        ]
        .into_iter()
        .map(|kind| context.store.counters().kind(kind).held)
        .sum();
        Ok(Map {
            scope: ask.scope(0, true),
            nodes,
            edges,
            percentiles,
            roleless: drawing.graph.roleless,
            other_items: (all - drawn).max(0),
        })
    })
    .await
}

/// Percentiles of the edges' values.
fn percentiles(edges: &[EdgeView]) -> Percentiles {
    let of = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = ((values.len() as f64 * share).ceil() as usize).saturating_sub(1);
            values.get(index).copied()
        };
        [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)]
            .into_iter()
            .filter_map(|(name, share)| Some((name, at(share)?)))
            .collect()
    };
    Percentiles {
        duration_ms: of(edges.iter().filter_map(|edge| edge.caller.avg_ms).collect()),
        calls: of(edges.iter().map(|edge| edge.caller.count as f64).collect()),
        failed_share: of(edges.iter().map(|edge| edge.caller.failed_share).collect()),
    }
}

#[derive(Debug, Serialize)]
struct OperationShare {
    name: String,
    role: String,
    stats: Stats,
    was: Option<Stats>,
}

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

pub(super) async fn node(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(
        query.as_deref(),
        &[&["app", "from", "to", "run", "vs", "buckets", "id"]],
    )?;
    answer(&context, move |_, reader| {
        let id = parameters
            .get("id")
            .ok_or_else(|| ApiError::bad_request("id is missing"))?;
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

pub(super) async fn edge(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(
        query.as_deref(),
        &[&["app", "from", "to", "run", "vs", "buckets", "id"]],
    )?;
    answer(&context, move |_, reader| {
        let id = parameters
            .get("id")
            .ok_or_else(|| ApiError::bad_request("id is missing"))?;
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
