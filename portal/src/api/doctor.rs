//! `/api/doctor`: problems of the received telemetry that make Azure reject, truncate or misinterpret it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::Ordering;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use crate::api::advice::{Advice, Fix, advice};
use crate::api::answer::answer;
use crate::api::ask::{Ask, Scope};
use crate::api::numbers::Series;
use crate::api::parameters::{Parameters, RANGED};
use crate::api::symptoms::{
    LOOKED_AT, MANY_NAMES, MANY_SERIES, Raw, checked, metrics, names, orphans, refusals,
};
use crate::api::time::Time;
use crate::api::view::ItemView;
use crate::api::{Context, EndpointView};
use crate::server::ApiError;
use crate::store::{ItemKind, Reader, SeriesKind};

/// The time in microseconds after which an unseen finding may be fixed.
const GONE_AFTER: i64 = 300_000_000;

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
    Ok(Doctor {
        accepted: counters.received.load(Ordering::Relaxed),
        refused: counters.refused.load(Ordering::Relaxed),
        cut,
        throttled: counters.throttled.load(Ordering::Relaxed),
        visible_after_ms: counters.visible_after().map(|micros| micros / 1_000.0),
        findings,
        passed: passed(reader, &ask, &found)?,
        clients: clients(reader, &ask)?,
        endpoints: context.endpoints.to_vec(),
        scope: ask.scope(LOOKED_AT, true),
    })
}

/// SDKs and the roles that they report for. Rejections of a client are reported once, in its first row, or in a row of
/// its
/// own if nothing of it was accepted.
fn clients(reader: &Reader, ask: &Ask) -> Result<Vec<ClientView>, ApiError> {
    let mut refused: BTreeMap<String, i64> = BTreeMap::new();
    for refusal in reader.refusals()? {
        *refused.entry(refusal.client).or_default() += refusal.items;
    }
    let mut clients: Vec<ClientView> = reader
        .clients(ask.app.as_deref())?
        .into_iter()
        .map(|client| ClientView {
            refused: refused.remove(&client.sdk).unwrap_or(0),
            name: client.sdk,
            role: client.role,
            items: client.items,
            delay_ms: client
                .delays
                .percentile(0.95)
                .map(|micros| micros / 1_000.0),
        })
        .collect();
    clients.extend(refused.into_iter().map(|(name, refused)| ClientView {
        name,
        role: String::new(),
        items: 0,
        refused,
        delay_ms: None,
    }));
    Ok(clients)
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
