//! The graphs of a request, and their nodes and edges as the API shows them.

use std::collections::HashMap;

use serde::Serialize;

use crate::api::ask::Ask;
use crate::api::category::Category;
use crate::api::map::graph::{Edge, Graph, Node};
use crate::api::numbers::Stats;
use crate::server::ApiError;
use crate::store::Reader;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NodeView {
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) r#type: Option<String>,
    pub(super) category: Category,
    pub(super) is_browser: bool,
    pub(super) has_own_telemetry: bool,
    pub(super) version: Option<String>,
    pub(super) instances: usize,
    pub(super) stats: Stats,
    pub(super) was: Option<Stats>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct EdgeView {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) target: String,
    pub(super) types: Vec<String>,
    pub(super) targets: Vec<String>,
    pub(super) caller: Stats,
    pub(super) callee: Option<Stats>,
    pub(super) matched: i64,
    pub(super) network_ms: Option<f64>,
    pub(super) caller_was: Option<Stats>,
    pub(super) is_new: bool,
    pub(super) is_gone: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct OperationShare {
    pub(super) name: String,
    pub(super) role: String,
    pub(super) stats: Stats,
    pub(super) was: Option<Stats>,
}

/// The graphs of a request, and the instances of the roles.
pub(super) struct Drawing {
    pub(super) graph: Graph,
    pub(super) was: Option<Graph>,
    pub(super) versions: HashMap<String, (Option<String>, usize)>,
}

impl Drawing {
    pub(super) fn new(reader: &Reader, ask: &Ask) -> Result<Self, ApiError> {
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

    pub(super) fn node(&self, ask: &Ask, id: &str, node: &Node) -> NodeView {
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

    pub(super) fn edge(&self, ask: &Ask, ends: &(String, String), edge: &Edge) -> EdgeView {
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
