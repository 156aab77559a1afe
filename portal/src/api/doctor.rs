//! `/api/doctor`: problems of the received telemetry that make Azure reject, truncate or misinterpret it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::Ordering;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use azmon_envelope::tags;
use serde::Serialize;

use crate::api::Context;
use crate::api::advice::{Advice, Fix, advice};
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::manage::{EndpointView, endpoints};
use crate::api::numbers::Series;
use crate::api::parameters::{Parameters, RANGED};
use crate::api::time::Time;
use crate::api::view::ItemView;
use crate::server::ApiError;
use crate::store::checks::CheckId;
use crate::store::facts;
use crate::store::prepared::own_id;
use crate::store::{ItemFilter, ItemKind, Order, Reader, SeriesKind, span_id};

/// The time in microseconds after which an unseen finding may be fixed.
const GONE_AFTER: i64 = 300_000_000;
/// The number of names from which Azure's map and tables become unreadable.
const MANY_NAMES: usize = 200;
/// The number of series of one metric from which cost becomes a concern.
const MANY_SERIES: usize = 100;
/// The number of newest items that are checked for missing parents.
const LOOKED_AT: usize = 3_000;
/// The time in microseconds that a child may arrive before its parent.
const LATE: i64 = 60_000_000;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DoctorFinding {
    id: String,
    kind: &'static str,
    level: &'static str,
    title: String,
    detail: String,
    why: &'static str,
    here: &'static str,
    azure: &'static str,
    role: Option<String>,
    client: Option<String>,
    items: i64,
    first_seen: Time,
    last_seen: Time,
    is_ignored: bool,
    is_gone: bool,
    fixes: Vec<Fix>,
    series: Series,
    samples: Vec<ItemView>,
    query: String,
}

#[derive(Debug, Serialize)]
struct Check {
    id: &'static str,
    title: &'static str,
    detail: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ClientView {
    name: String,
    role: String,
    items: i64,
    refused: i64,
    delay_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Doctor {
    scope: Scope,
    accepted: u64,
    refused: u64,
    cut: i64,
    throttled: u64,
    visible_after_ms: Option<f64>,
    findings: Vec<DoctorFinding>,
    passed: Vec<Check>,
    clients: Vec<ClientView>,
    endpoints: Vec<EndpointView>,
}

/// A finding without its advice.
struct Raw {
    advice: &'static str,
    detail: String,
    role: String,
    client: String,
    items: i64,
    first: i64,
    last: i64,
    samples: Vec<i64>,
    query: String,
    title: String,
}

pub(super) async fn doctor(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED])?;
    answer(&context, move |context, reader| {
        doctor_of(context, reader, &parameters)
    })
    .await
}

fn doctor_of(
    context: &Context,
    reader: &Reader,
    parameters: &Parameters,
) -> Result<Doctor, ApiError> {
    let ask = Ask::new(reader, parameters)?;
    let counters = context.store.counters();
    let mut raw = Vec::new();
    refusals(reader, &ask, &mut raw)?;
    checked(reader, &ask, &mut raw)?;
    names(reader, &ask, &mut raw);
    metrics(reader, &ask, &mut raw);
    orphans(reader, &ask, &mut raw)?;
    let cut = raw
        .iter()
        .filter(|finding| finding.advice == "cut")
        .map(|finding| finding.items)
        .sum();
    let ignored: HashSet<String> = reader
        .saved("ignored", ask.app.as_deref())?
        .into_iter()
        .map(|saved| saved.name)
        .collect();
    let found: BTreeSet<&'static str> = raw.iter().map(|finding| finding.advice).collect();
    let mut findings = Vec::with_capacity(raw.len());
    for raw in raw {
        findings.push(dress(reader, &ask, raw, &ignored)?);
    }
    findings.sort_by_key(|finding| {
        (
            finding.level != "bad",
            std::cmp::Reverse(finding.items),
            finding.id.clone(),
        )
    });
    findings.truncate(200);
    let clients = reader
        .clients(ask.app.as_deref())?
        .into_iter()
        .map(|client| ClientView {
            name: client.sdk,
            role: client.role,
            items: client.items,
            refused: 0,
            delay_ms: client
                .delays
                .percentile(0.95)
                .map(|micros| micros / 1_000.0),
        });
    Ok(Doctor {
        accepted: counters.received.load(Ordering::Relaxed),
        refused: counters.refused.load(Ordering::Relaxed),
        cut,
        throttled: counters.throttled.load(Ordering::Relaxed),
        visible_after_ms: counters.visible_after().map(|micros| micros / 1_000.0),
        findings,
        passed: passed(reader, &ask, &found)?,
        clients: clients.collect(),
        endpoints: endpoints(context),
        scope: ask.scope(LOOKED_AT, true),
    })
}

fn refusals(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) -> Result<(), ApiError> {
    for (message, items, first, last) in reader.refusals()? {
        if last < ask.range.from {
            continue;
        }
        raw.push(Raw {
            advice: "refused",
            title: format!("{items} items refused: {message}"),
            detail: String::new(),
            role: String::new(),
            client: String::new(),
            items,
            first,
            last,
            samples: Vec::new(),
            query: String::new(),
        });
    }
    Ok(())
}

/// Findings that were made while items arrived.
fn checked(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) -> Result<(), ApiError> {
    let mut by_place: BTreeMap<(CheckIdOrder, String, String, String), facts::Finding> =
        BTreeMap::new();
    for finding in reader.findings(ask.app.as_deref())? {
        if finding.last < ask.range.from || finding.first >= ask.range.to {
            continue;
        }
        // The detail of a skewed clock is the skew; the largest is reported.
        let detail = if finding.id == CheckId::ClockSkew {
            String::new()
        } else {
            finding.detail.clone()
        };
        let key = (
            CheckIdOrder(finding.id.as_str()),
            detail,
            finding.role.clone(),
            finding.sdk.clone(),
        );
        match by_place.get_mut(&key) {
            Some(known) => {
                known.items += finding.items;
                known.first = known.first.min(finding.first);
                known.last = known.last.max(finding.last);
                if finding.detail.parse::<i64>().unwrap_or(0) > known.detail.parse().unwrap_or(0) {
                    known.detail = finding.detail;
                }
            }
            None => {
                by_place.insert(key, finding);
            }
        }
    }
    for finding in by_place.into_values() {
        let items = finding.items;
        let title = match finding.id {
            CheckId::Cut => format!(
                "{items} values of {} are longer than Azure keeps",
                finding.detail
            ),
            CheckId::NoRole => {
                format!("{items} items without a role name: the map cannot place them")
            }
            CheckId::NameWithId => format!("{items} requests have an id in their name"),
            CheckId::Future => format!("{items} items are from the future"),
            CheckId::TooOld => format!("{items} items are older than two days"),
            CheckId::KeyDropped => {
                format!("{items} properties have a name longer than 150 characters")
            }
            CheckId::Duplicate => format!("{items} spans were received twice"),
            CheckId::ClockSkew => format!(
                "Clock of {} differs by up to {} ms",
                finding.role, finding.detail
            ),
            CheckId::NoOperation => format!("{items} requests belong to no operation"),
        };
        let query = match finding.id {
            CheckId::NoRole => "NOT role:*".to_owned(),
            _ if finding.role.is_empty() => String::new(),
            _ => format!("role:\"{}\"", finding.role),
        };
        raw.push(Raw {
            advice: finding.id.as_str(),
            title,
            detail: finding.detail,
            role: finding.role,
            client: finding.sdk,
            items,
            first: finding.first,
            last: finding.last,
            samples: vec![finding.sample],
            query,
        });
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct CheckIdOrder(&'static str);

/// Names, targets and types with too many values.
fn names(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) {
    let mut names: HashMap<(&'static str, String), HashSet<&str>> = HashMap::new();
    for series in reader.all_series() {
        let dims = &series.dims;
        if !ask.accepts(series) {
            continue;
        }
        match dims.kind {
            SeriesKind::Item(ItemKind::Request) => {
                names
                    .entry(("operation names", dims.role.clone()))
                    .or_default()
                    .insert(&dims.name);
            }
            SeriesKind::Item(ItemKind::Dependency) => {
                names
                    .entry(("dependency targets", dims.role.clone()))
                    .or_default()
                    .insert(&dims.target);
                names
                    .entry(("dependency types", dims.role.clone()))
                    .or_default()
                    .insert(&dims.type_name);
            }
            SeriesKind::Item(ItemKind::CustomEvent) => {
                names
                    .entry(("event names", dims.role.clone()))
                    .or_default()
                    .insert(&dims.name);
            }
            _ => {}
        }
    }
    for ((of, role), found) in names {
        if found.len() > MANY_NAMES {
            let (first, last) = ask.kept.unwrap_or((ask.now, ask.now));
            raw.push(Raw {
                advice: "many-names",
                title: format!("{role} has {} {of}", found.len()),
                detail: of.to_owned(),
                role,
                client: String::new(),
                items: i64::try_from(found.len()).unwrap_or(i64::MAX),
                first,
                last,
                samples: Vec::new(),
                query: String::new(),
            });
        }
    }
}

/// Metrics with many series.
fn metrics(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) {
    let mut names: BTreeSet<(String, String)> = BTreeSet::new();
    for series in reader.all_series() {
        if ask.accepts(series) && series.dims.kind == SeriesKind::Item(ItemKind::CustomMetric) {
            names.insert((series.dims.name.clone(), series.dims.role.clone()));
        }
    }
    for (name, role) in names.into_iter().take(200) {
        let filter = ItemFilter {
            app: ask.app.clone(),
            roles: vec![role.clone()],
            kinds: vec![ItemKind::CustomMetric],
            name: Some(name.clone()),
            range: ask.range,
            ..ItemFilter::default()
        };
        let Ok((items, ..)) = reader.list(&filter, Order::Newest, 2 * MANY_SERIES) else {
            continue;
        };
        let combinations: HashSet<String> = items
            .iter()
            .map(|item| {
                let pairs = item.envelope().data.properties().iter();
                pairs
                    .map(|(key, value)| format!("{key}\u{1f}{value}\u{1e}"))
                    .collect()
            })
            .collect();
        if combinations.len() > MANY_SERIES {
            raw.push(Raw {
                advice: "many-series",
                title: format!("{name} has more than {MANY_SERIES} series"),
                detail: name.clone(),
                role,
                client: String::new(),
                items: i64::try_from(combinations.len()).unwrap_or(i64::MAX),
                first: ask.range.from,
                last: ask.range.to,
                samples: items
                    .iter()
                    .take(5)
                    .map(|item| item.id().cast_signed())
                    .collect(),
                query: format!("name:\"{name}\""),
            });
        }
    }
}

/// Items whose parent id matches no item.
fn orphans(reader: &Reader, ask: &Ask, raw: &mut Vec<Raw>) -> Result<(), ApiError> {
    let filter = ItemFilter {
        app: ask.app.clone(),
        roles: ask.roles.clone(),
        kinds: vec![
            ItemKind::Request,
            ItemKind::Dependency,
            ItemKind::Trace,
            ItemKind::Exception,
            ItemKind::PageView,
        ],
        range: ask.range,
        ..ItemFilter::default()
    };
    let (items, ..) = reader.list(&filter, Order::LastArrived, LOOKED_AT)?;
    let spans: HashSet<(&str, &str)> = items
        .iter()
        .filter_map(|item| {
            Some((
                item.operation_id()?,
                span_id(own_id(&item.envelope().data)?),
            ))
        })
        .collect();
    // An operation that began before the checked items may have its parents among older ones.
    let horizon = items
        .iter()
        .map(crate::api::items::time_of)
        .min()
        .unwrap_or(0)
        + LATE;
    let mut found: BTreeMap<(String, String), Vec<&crate::store::Item>> = BTreeMap::new();
    for item in &items {
        let time = crate::api::items::time_of(item);
        let is_settled = time < ask.now - LATE && (items.len() < LOOKED_AT || time > horizon);
        // The caller of a request may send no telemetry.
        if !is_settled || item.kind() == ItemKind::Request {
            continue;
        }
        let (Some(operation), Some(parent)) =
            (item.operation_id(), item.tag(tags::OPERATION_PARENT_ID))
        else {
            continue;
        };
        let parent = span_id(parent);
        if parent != operation && !spans.contains(&(operation, parent)) {
            let client = item
                .tag(tags::INTERNAL_SDK_VERSION)
                .unwrap_or_default()
                .to_owned();
            found
                .entry((item.role().into_owned(), client))
                .or_default()
                .push(item);
        }
    }
    for ((role, client), items) in found {
        let times = || items.iter().map(|item| crate::api::items::time_of(item));
        raw.push(Raw {
            advice: "orphans",
            title: format!("{} items have a parent that never arrived", items.len()),
            detail: String::new(),
            query: if role.is_empty() {
                String::new()
            } else {
                format!("role:\"{role}\"")
            },
            role,
            client,
            items: i64::try_from(items.len()).unwrap_or(i64::MAX),
            first: times().min().unwrap_or(0),
            last: times().max().unwrap_or(0),
            samples: items
                .iter()
                .take(10)
                .map(|item| item.id().cast_signed())
                .collect(),
        });
    }
    Ok(())
}

fn dress(
    reader: &Reader,
    ask: &Ask,
    raw: Raw,
    ignored: &HashSet<String>,
) -> Result<DoctorFinding, ApiError> {
    let Advice {
        kind,
        level,
        why,
        here,
        azure,
        fixes,
    } = advice(raw.advice);
    let id = [raw.advice, &raw.detail, &raw.role, &raw.client].join("|");
    let mut samples = Vec::new();
    for id in raw.samples {
        samples.extend(reader.item(id)?.as_ref().map(ItemView::new));
    }
    let steps = ask.steps();
    let mut counts = vec![0.0; steps.count];
    for sample in &samples {
        if let Some(count) = steps
            .index(sample.timestamp.0)
            .and_then(|index| counts.get_mut(index))
        {
            *count += 1.0;
        }
    }
    let detail = [raw.role.as_str(), raw.client.as_str()]
        .into_iter()
        .filter(|text| !text.is_empty())
        .collect::<Vec<_>>();
    Ok(DoctorFinding {
        is_ignored: ignored.contains(&id),
        is_gone: raw.last < ask.now - GONE_AFTER,
        id,
        kind,
        level,
        title: raw.title,
        detail: detail.join(" · "),
        why,
        here,
        azure,
        role: (!raw.role.is_empty()).then_some(raw.role),
        client: (!raw.client.is_empty()).then_some(raw.client),
        items: raw.items,
        first_seen: Time(raw.first),
        last_seen: Time(raw.last),
        fixes,
        series: Series::counts("items", &steps, &counts),
        samples,
        query: raw.query,
    })
}

/// Checks without a finding.
fn passed(
    reader: &Reader,
    ask: &Ask,
    found: &BTreeSet<&'static str>,
) -> Result<Vec<Check>, ApiError> {
    let roles: BTreeSet<String> = reader
        .instances(ask.app.as_deref())?
        .into_iter()
        .map(|instance| instance.role)
        .filter(|role| !role.is_empty())
        .collect();
    let operations: HashSet<&str> = reader
        .all_series()
        .iter()
        .filter(|series| {
            ask.accepts(series) && series.dims.kind == SeriesKind::Item(ItemKind::Request)
        })
        .map(|series| series.dims.name.as_str())
        .collect();
    let roles = roles.into_iter().take(8).collect::<Vec<_>>().join(", ");
    let all = [
        ("no-role", "Role name set", roles),
        (
            "name-with-id",
            "Operation names are routes, not paths",
            format!("{} names, none with an id inside", operations.len()),
        ),
        (
            "many-names",
            "Few operations, targets and types",
            format!("none has more than {MANY_NAMES}"),
        ),
        (
            "many-series",
            "Few series of each metric",
            format!("none has more than {MANY_SERIES}"),
        ),
        (
            "orphans",
            "Every parent arrived",
            format!("among the newest {LOOKED_AT} items"),
        ),
        (
            "cut",
            "No value is too long",
            "nothing would be cut".to_owned(),
        ),
        (
            "key-dropped",
            "No name of a property is too long",
            "none is over 150 characters".to_owned(),
        ),
        (
            "refused",
            "Nothing was refused",
            "every item was accepted".to_owned(),
        ),
        (
            "clock-skew",
            "Clocks agree",
            "calls lie within their callers".to_owned(),
        ),
        (
            "future",
            "No item is from the future",
            "all are older than their arrival".to_owned(),
        ),
        (
            "too-old",
            "No item is too old",
            "Azure takes up to two days".to_owned(),
        ),
        (
            "duplicate",
            "Duplicates",
            "no span was received twice".to_owned(),
        ),
        (
            "no-operation",
            "Requests have an operation",
            "each belongs to a transaction".to_owned(),
        ),
    ];
    let well = all.into_iter().filter(|(id, ..)| !found.contains(id));
    Ok(well
        .map(|(id, title, detail)| Check { id, title, detail })
        .collect())
}
