//! The application map's nodes and edges, from rollups.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::api::ask::Ask;
use crate::api::category::Category;
use crate::api::gather::{DEPENDENCY, PAGE_VIEW, REQUEST, by_key};
use crate::api::numbers::Tally;
use crate::server::ApiError;
use crate::store::{Range, Reader, SeriesKind};

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) name: String,
    /// `None` for a role.
    pub(super) type_name: Option<String>,
    pub(super) category: Category,
    pub(super) is_browser: bool,
    pub(super) has_own_telemetry: bool,
    pub(super) tally: Tally,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Edge {
    pub(super) types: BTreeSet<String>,
    pub(super) targets: BTreeSet<String>,
    /// The durations that the caller measured.
    pub(super) caller: Tally,
    /// For calls of which both ends arrived: the durations of the caller and of the callee.
    pub(super) matched: Tally,
    pub(super) callee: Tally,
}

#[derive(Debug, Default)]
pub(super) struct Graph {
    pub(super) nodes: BTreeMap<String, Node>,
    pub(super) edges: BTreeMap<(String, String), Edge>,
    pub(super) roleless: i64,
}

pub(super) fn role_id(role: &str) -> String {
    format!("role:{role}")
}

pub(super) fn dependency_id(type_name: &str, target: &str) -> String {
    format!("dependency:{type_name}|{target}")
}

type Call = (String, String, String);

/// All roles that were ever reached through a dependency, by caller, type and target.
fn known_callees(reader: &Reader) -> HashMap<Call, BTreeSet<String>> {
    let mut known: HashMap<Call, BTreeSet<String>> = HashMap::new();
    for series in reader.all_series() {
        let dims = &series.dims;
        if dims.kind == SeriesKind::EdgeCallee {
            let call = (
                dims.role.clone(),
                dims.type_name.clone(),
                dims.target.clone(),
            );
            known.entry(call).or_default().insert(dims.instance.clone());
        }
    }
    known
}

impl Graph {
    pub(super) fn new(reader: &Reader, ask: &Ask, range: Range) -> Result<Self, ApiError> {
        let mut graph = Self::default();
        let by_role = |series: &crate::store::Series| {
            Some((series.dims.role.clone(), series.dims.is_browser))
        };
        for kind in [REQUEST, PAGE_VIEW] {
            for ((role, is_browser), tally) in by_key(reader, ask, (kind, range), by_role)? {
                if role.is_empty() {
                    graph.roleless += tally.count;
                }
                graph.role(&role, is_browser, true).tally.merge(&tally);
            }
        }
        let both_ends = |series: &crate::store::Series| {
            let dims = &series.dims;
            let call = (
                dims.role.clone(),
                dims.type_name.clone(),
                dims.target.clone(),
            );
            Some((call, dims.instance.clone()))
        };
        let mut matched = by_key(reader, ask, (SeriesKind::EdgeCaller, range), both_ends)?;
        let mut callees = by_key(reader, ask, (SeriesKind::EdgeCallee, range), both_ends)?;
        let known = known_callees(reader);
        let calls = by_key(reader, ask, (DEPENDENCY, range), |series| {
            let dims = &series.dims;
            let is_inside =
                dims.target.is_empty() && Category::of(&dims.type_name, false) == Category::Inproc;
            let call = (
                dims.role.clone(),
                dims.type_name.clone(),
                dims.target.clone(),
            );
            (!is_inside).then_some((call, dims.is_browser))
        })?;
        for ((call, is_browser), tally) in calls {
            let (role, type_name, target) = &call;
            if role.is_empty() {
                graph.roleless += tally.count;
            }
            graph.role(role, is_browser, true);
            let roles: Vec<String> = known.get(&call).into_iter().flatten().cloned().collect();
            let is_only = roles.len() == 1;
            let mut rest = tally.clone();
            for callee_role in &roles {
                let key = (call.clone(), callee_role.clone());
                let ends = (
                    matched.remove(&key).unwrap_or_default(),
                    callees.remove(&key).unwrap_or_default(),
                );
                let caller = if is_only {
                    tally.clone()
                } else {
                    ends.0.clone()
                };
                rest.count -= caller.count;
                rest.failed = (rest.failed - caller.failed).max(0);
                if caller.count > 0 {
                    graph.role(callee_role, false, false);
                    let edge = graph.edge(role_id(role), role_id(callee_role), type_name, target);
                    edge.caller.merge(&caller);
                    edge.matched.merge(&ends.0);
                    edge.callee.merge(&ends.1);
                }
            }
            if rest.count > 0 && !is_only {
                graph.dependency(type_name, target).tally.merge(&rest);
                let id = dependency_id(type_name, target);
                graph
                    .edge(role_id(role), id, type_name, target)
                    .caller
                    .merge(&rest);
            }
        }
        Ok(graph)
    }

    fn role(&mut self, role: &str, is_browser: bool, has_own_telemetry: bool) -> &mut Node {
        let node = self.nodes.entry(role_id(role)).or_insert_with(|| Node {
            name: role.to_owned(),
            type_name: None,
            category: Category::Other,
            is_browser: false,
            has_own_telemetry: false,
            tally: Tally::default(),
        });
        node.is_browser |= is_browser;
        node.has_own_telemetry |= has_own_telemetry;
        if node.is_browser {
            node.category = Category::Browser;
        }
        node
    }

    fn dependency(&mut self, type_name: &str, target: &str) -> &mut Node {
        self.nodes
            .entry(dependency_id(type_name, target))
            .or_insert_with(|| Node {
                name: if target.is_empty() {
                    type_name.to_owned()
                } else {
                    target.to_owned()
                },
                type_name: Some(type_name.to_owned()),
                category: Category::of(type_name, false),
                is_browser: false,
                has_own_telemetry: false,
                tally: Tally::default(),
            })
    }

    fn edge(&mut self, source: String, target: String, type_name: &str, name: &str) -> &mut Edge {
        let edge = self.edges.entry((source, target)).or_default();
        edge.types.insert(type_name.to_owned());
        edge.targets.insert(name.to_owned());
        edge
    }
}
