//! `/api/map`: the whole map.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::map::drawing::{Drawing, EdgeView, NodeView};
use crate::api::map::graph::{Edge, Node};
use crate::api::parameters::{Parameters, RANGED};
use crate::server::ApiError;

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

pub(in crate::api) async fn map(
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
