//! `/api/operations`, `/api/dependencies`, `/api/roles`, `/api/calls`.

use std::collections::{BTreeMap, HashSet};

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::Context;
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::category::Category;
use crate::api::gather::{DEPENDENCY, PAGE_VIEW, REQUEST, buckets, by_key, was_by_key};
use crate::api::numbers::{Distribution, Series, Stats, Tally};
use crate::api::parameters::{Parameters, RANGED};
use crate::server::ApiError;
use crate::store::{Reader, SeriesKind};

/// The maximum number of rows in a table.
const MAX_ROWS: usize = 2_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Operations,
    Dependencies,
    Roles,
}

/// Name, role, target, type.
type Key = (String, String, Option<String>, Option<String>);

impl Tab {
    fn key(self, series: &crate::store::Series) -> Key {
        let dims = &series.dims;
        match self {
            Self::Operations => (dims.name.clone(), dims.role.clone(), None, None),
            Self::Dependencies => (
                dims.name.clone(),
                dims.role.clone(),
                Some(dims.target.clone()),
                Some(dims.type_name.clone()),
            ),
            Self::Roles => (dims.role.clone(), dims.role.clone(), None, None),
        }
    }

    fn kind(self, ask: &Ask) -> SeriesKind {
        match self {
            Self::Dependencies => DEPENDENCY,
            Self::Operations | Self::Roles if ask.is_browser == Some(true) => PAGE_VIEW,
            Self::Operations | Self::Roles => REQUEST,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PerformanceRow {
    name: String,
    role: String,
    target: Option<String>,
    r#type: Option<String>,
    category: Option<Category>,
    stats: Stats,
    was: Option<Stats>,
    users: Option<usize>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Performance {
    scope: Scope,
    overall: Stats,
    overall_was: Option<Stats>,
    rows: Vec<PerformanceRow>,
    counts: BTreeMap<&'static str, usize>,
    series: Vec<Series>,
}

pub(super) async fn operations(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    table(&context, query, Tab::Operations).await
}

pub(super) async fn dependencies(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    table(&context, query, Tab::Dependencies).await
}

pub(super) async fn roles(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    table(&context, query, Tab::Roles).await
}

async fn table(context: &Context, query: Option<String>, tab: Tab) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED, &["side"]])?;
    answer(context, move |_, reader| {
        performance(reader, &parameters, tab)
    })
    .await
}

fn performance(
    reader: &Reader,
    parameters: &Parameters,
    tab: Tab,
) -> Result<Performance, ApiError> {
    let ask = Ask::new(reader, parameters)?.with_side(parameters)?;
    let kind = tab.kind(&ask);
    let tallies = by_key(reader, &ask, (kind, ask.range), |series| {
        Some(tab.key(series))
    })?;
    let before = was_by_key(reader, &ask, kind, |series| Some(tab.key(series)))?;
    let mut overall_was = Tally::default();
    before.values().for_each(|tally| overall_was.merge(tally));
    let mut rows: Vec<_> = tallies
        .into_iter()
        .map(|(key, tally)| {
            let was = ask.was(before.get(&key));
            let (name, role, target, type_name) = key;
            PerformanceRow {
                category: type_name
                    .as_deref()
                    .map(|type_name| Category::of(type_name, ask.is_browser == Some(true))),
                name,
                role,
                target,
                r#type: type_name,
                stats: ask.stats(&tally),
                was,
                users: None,
            }
        })
        .collect();
    rows.sort_by(|a, b| {
        b.stats
            .sum_ms
            .total_cmp(&a.stats.sum_ms)
            .then_with(|| a.name.cmp(&b.name))
    });
    rows.truncate(MAX_ROWS);
    let chart = buckets(reader, &ask, kind, |_| true)?;
    let overall = chart.total();
    Ok(Performance {
        counts: counts(reader, &ask)?,
        scope: ask.scope(0, true),
        overall: ask.stats(&overall),
        overall_was: ask.was(Some(&overall_was)),
        rows,
        series: chart.all(),
    })
}

/// The number of rows of each tab.
fn counts(reader: &Reader, ask: &Ask) -> Result<BTreeMap<&'static str, usize>, ApiError> {
    let mut counts = BTreeMap::new();
    for (name, tab) in [
        ("operations", Tab::Operations),
        ("dependencies", Tab::Dependencies),
        ("roles", Tab::Roles),
    ] {
        let mut keys = HashSet::new();
        let range = (ask.grain(ask.range), ask.range);
        let mut seen = HashSet::new();
        reader.rollups(
            tab.kind(ask),
            range,
            &|series| ask.accepts(series),
            &mut |_, series, _| {
                if seen.insert(series.id) {
                    keys.insert(tab.key(series));
                }
            },
        )?;
        counts.insert(name, keys.len());
    }
    Ok(counts)
}

#[derive(Debug, Serialize)]
struct CallDetail {
    scope: Scope,
    stats: Stats,
    was: Option<Stats>,
    series: Vec<Series>,
    distribution: Distribution,
}

/// The selected calls.
#[derive(Debug, Clone)]
pub(super) struct Selected {
    pub(super) kind: SeriesKind,
    name: Option<String>,
    target: Option<String>,
    type_name: Option<String>,
}

pub(super) const SELECTED: [&str; 5] = ["side", "op", "target", "type", "of"];

impl Selected {
    pub(super) fn new(parameters: &Parameters) -> Result<Self, ApiError> {
        let kind = match parameters.get("of") {
            None if parameters.get("side") == Some("browser") => PAGE_VIEW,
            None if parameters.get("target").is_some() || parameters.get("type").is_some() => {
                DEPENDENCY
            }
            None | Some("request") => REQUEST,
            Some("dependency") => DEPENDENCY,
            Some("pageView") => PAGE_VIEW,
            Some(other) => {
                return Err(ApiError::bad_request(format!(
                    "of {other:?} is none of request, dependency, pageView"
                )));
            }
        };
        Ok(Self {
            kind,
            name: parameters.owned("op"),
            target: parameters.owned("target"),
            type_name: parameters.owned("type"),
        })
    }

    pub(super) fn accepts(&self, series: &crate::store::Series) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        is(&self.name, &series.dims.name)
            && is(&self.target, &series.dims.target)
            && is(&self.type_name, &series.dims.type_name)
    }

    pub(super) fn item_kind(&self) -> Option<crate::store::ItemKind> {
        match self.kind {
            SeriesKind::Item(kind) => Some(kind),
            SeriesKind::EdgeCaller | SeriesKind::EdgeCallee => None,
        }
    }
}

pub(super) async fn calls(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED, &SELECTED])?;
    answer(&context, move |_, reader| {
        let selected = Selected::new(&parameters)?;
        let mut ask = Ask::new(reader, &parameters)?;
        if parameters.get("side").is_some() {
            ask = ask.with_side(&parameters)?;
        }
        let chart = buckets(reader, &ask, selected.kind, |series| {
            selected.accepts(series)
        })?;
        let all = chart.total();
        let before = was_by_key(reader, &ask, selected.kind, |series| {
            selected.accepts(series).then_some(())
        })?;
        Ok(CallDetail {
            scope: ask.scope(0, true),
            stats: ask.stats(&all),
            was: ask.was(before.get(&())),
            series: chart.all(),
            distribution: all.distribution(),
        })
    })
    .await
}
