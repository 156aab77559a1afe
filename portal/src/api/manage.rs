//! `/api/health`, `/api/stats`, `/api/connect`, `/api/apps`, `/api/saved/…`, `/api/data`.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::answer::answer;
use crate::api::parameters::Parameters;
use crate::api::time::Time;
use crate::api::{Context, EndpointView};
use crate::server::ApiError;
use crate::store::facts::Saved;
use crate::store::said::micros;
use crate::store::{ItemKind, Reader, SeriesKind};

/// The maximum size of a saved value, in bytes.
const MAX_SAVED: usize = 256 * 1_024;
/// The maximum length of a saved name, in bytes.
const MAX_NAME: usize = 500;
/// The kinds of values that pages save.
const SAVED_KINDS: [&str; 7] = [
    "boards", "views", "queries", "known", "ignored", "layout", "settings",
];

#[derive(Debug, Serialize)]
pub(super) struct Health {
    status: &'static str,
    version: &'static str,
    received: u64,
    refused: u64,
    dropped: u64,
    items: i64,
    bytes: i64,
}

pub(super) async fn health(State(context): State<Context>) -> Json<Health> {
    let counters = context.store.counters();
    Json(Health {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        received: counters.received.load(Ordering::Relaxed),
        refused: counters.refused.load(Ordering::Relaxed),
        dropped: counters.dropped.load(Ordering::Relaxed),
        items: counters.items.load(Ordering::Relaxed),
        bytes: counters.bytes.load(Ordering::Relaxed),
    })
}

#[derive(Debug, Serialize)]
struct RefusalView {
    time: Time,
    message: String,
    client: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Ingestion {
    per_second: f64,
    spark: Vec<u64>,
    received: u64,
    refused: u64,
    throttled: u64,
    dropped: u64,
    items: i64,
    by_kind: BTreeMap<&'static str, i64>,
    bytes: i64,
    max_bytes: u64,
    max_age_seconds: Option<u64>,
    oldest_kept: Option<Time>,
    newest: Option<Time>,
    newest_id: i64,
    visible_after_ms: Option<f64>,
    last_refusal: Option<RefusalView>,
    is_temporary: bool,
    data_directory: Option<String>,
}

/// Items per second over the last ten complete seconds.
pub(super) fn per_second(spark: &[u64]) -> f64 {
    const SECONDS: usize = 10;
    let last = spark.iter().rev().take(SECONDS);
    last.sum::<u64>() as f64 / SECONDS as f64
}

pub(super) async fn stats(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Parameters::parse(query.as_deref(), &[])?;
    answer(&context, move |context, reader| {
        let counters = context.store.counters();
        let limits = context.store.limits();
        let spark = counters.rate(micros(SystemTime::now()));
        let kept = reader.kept()?;
        let directory = context.store.directory();
        Ok(Ingestion {
            per_second: per_second(&spark),
            spark,
            received: counters.received.load(Ordering::Relaxed),
            refused: counters.refused.load(Ordering::Relaxed),
            throttled: counters.throttled.load(Ordering::Relaxed),
            dropped: counters.dropped.load(Ordering::Relaxed),
            items: counters.items.load(Ordering::Relaxed),
            by_kind: ItemKind::ALL
                .iter()
                .map(|kind| (kind.as_str(), counters.kind(*kind).held))
                .collect(),
            bytes: counters.bytes.load(Ordering::Relaxed),
            max_bytes: limits.bytes,
            max_age_seconds: limits.age.map(|age| age.as_secs()),
            oldest_kept: kept.map(|(oldest, _)| Time(oldest)),
            newest: kept.map(|(_, newest)| Time(newest)),
            newest_id: context.newest_id(),
            visible_after_ms: counters.visible_after().map(|micros| micros / 1_000.0),
            last_refusal: counters.last_refusal().map(|refusal| RefusalView {
                time: Time(refusal.time),
                message: refusal.message,
                client: refusal.client,
            }),
            is_temporary: directory.is_none(),
            data_directory: directory.map(|directory| directory.display().to_string()),
        })
    })
    .await
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connect {
    connection_string: String,
    connection_string_tls: Option<String>,
    otlp: BTreeMap<&'static str, String>,
    endpoints: Vec<EndpointView>,
    tls_certificate: Option<String>,
}

pub(super) async fn connect(State(context): State<Context>) -> Json<Connect> {
    let mut otlp = BTreeMap::new();
    let address = |name: &str| {
        let endpoint = context
            .endpoints
            .iter()
            .find(|endpoint| endpoint.name == name)?;
        (endpoint.state == "open")
            .then(|| endpoint.address.clone())
            .flatten()
    };
    if let Some(address) = address("otlpHttp") {
        otlp.insert("OTEL_EXPORTER_OTLP_ENDPOINT", address);
        otlp.insert("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf".to_owned());
    } else if let Some(address) = address("otlpGrpc") {
        otlp.insert("OTEL_EXPORTER_OTLP_ENDPOINT", address);
        otlp.insert("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned());
    }
    Json(Connect {
        connection_string: context.connection_string.to_string(),
        connection_string_tls: context.connection_string_tls.as_deref().map(str::to_owned),
        otlp,
        endpoints: context.endpoints.to_vec(),
        tls_certificate: context
            .tls_certificate
            .as_ref()
            .map(|path| path.display().to_string()),
    })
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct AppRole {
    name: String,
    is_browser: bool,
    first_seen: Time,
    last_seen: Time,
    version: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct App {
    i_key: String,
    name: String,
    first_seen: Time,
    last_seen: Time,
    items: i64,
    per_second: f64,
    roles: Vec<AppRole>,
}

#[derive(Debug, Serialize)]
struct Apps {
    apps: Vec<App>,
}

pub(super) async fn apps(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    Parameters::parse(query.as_deref(), &[])?;
    answer(&context, move |_, reader| {
        let mut apps: Vec<App> = Vec::new();
        for instance in reader.instances(None)? {
            let index = match apps.iter().position(|app| app.i_key == instance.app) {
                Some(index) => index,
                None => {
                    apps.push(App {
                        name: name_of(reader, &instance.app)?,
                        i_key: instance.app,
                        first_seen: Time(instance.first),
                        last_seen: Time(instance.last),
                        items: 0,
                        per_second: 0.0,
                        roles: Vec::new(),
                    });
                    apps.len() - 1
                }
            };
            let Some(app) = apps.get_mut(index) else {
                continue;
            };
            app.last_seen = app.last_seen.max(Time(instance.last));
            let version = (!instance.version.is_empty()).then_some(instance.version);
            match app.roles.iter_mut().find(|role| role.name == instance.role) {
                Some(role) => {
                    if Time(instance.last) >= role.last_seen {
                        role.last_seen = Time(instance.last);
                        role.version = version.or_else(|| role.version.take());
                    }
                }
                None => app.roles.push(AppRole {
                    name: instance.role,
                    is_browser: instance.is_browser,
                    first_seen: Time(instance.first),
                    last_seen: Time(instance.last),
                    version,
                }),
            }
        }
        count(reader, &mut apps)?;
        Ok(Apps { apps })
    })
    .await
}

/// The saved name of an application, or the end of its instrumentation key.
fn name_of(reader: &Reader, app: &str) -> Result<String, ApiError> {
    let saved = reader.saved("settings", Some(app))?;
    let named = saved
        .iter()
        .find(|saved| saved.app == app && saved.name == "name");
    let name = named.and_then(|saved| serde_json::from_str::<String>(&saved.value).ok());
    let characters: Vec<char> = app.chars().collect();
    let end = characters
        .get(characters.len().saturating_sub(4)..)
        .unwrap_or_default();
    Ok(name.unwrap_or_else(|| format!("app …{}", end.iter().collect::<String>())))
}

/// The grain with the longest buckets.
const COARSEST: u8 = 3;

/// The items of each application, from the coarsest rollups, and its rate over the last minute.
fn count(reader: &Reader, apps: &mut [App]) -> Result<(), ApiError> {
    let now = micros(SystemTime::now());
    let last_minute = crate::api::items::around(now, 60_000_000);
    for kind in ItemKind::ALL {
        let series = SeriesKind::Item(kind);
        let coarse = (COARSEST, crate::store::Range::ALL);
        reader.rollups(series, coarse, &|_| true, &mut |_, series, cell| {
            if let Some(app) = apps.iter_mut().find(|app| app.i_key == series.dims.app) {
                app.items += cell.items;
            }
        })?;
        reader.rollups(
            series,
            (0, last_minute),
            &|_| true,
            &mut |_, series, cell| {
                if let Some(app) = apps.iter_mut().find(|app| app.i_key == series.dims.app) {
                    app.per_second += cell.items as f64 / 60.0;
                }
            },
        )?;
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct SavedView {
    kind: String,
    name: String,
    app: Option<String>,
    value: Box<RawValue>,
    updated: Time,
}

#[derive(Debug, Serialize)]
struct SavedList {
    saved: Vec<SavedView>,
}

fn saved_view(saved: Saved) -> Option<SavedView> {
    Some(SavedView {
        kind: saved.kind,
        name: saved.name,
        app: (!saved.app.is_empty()).then_some(saved.app),
        value: RawValue::from_string(saved.value).ok()?,
        updated: Time(saved.updated),
    })
}

fn known_kind(kind: &str) -> Result<(), ApiError> {
    if SAVED_KINDS.contains(&kind) {
        return Ok(());
    }
    Err(ApiError::not_found(format!(
        "nothing of kind {kind:?} is saved; kinds are {}",
        SAVED_KINDS.join(", ")
    )))
}

pub(super) async fn saved(
    State(context): State<Context>,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    known_kind(&kind)?;
    answer(&context, move |_, reader| {
        let saved = reader.saved(&kind, parameters.get("app"))?;
        Ok(SavedList {
            saved: saved.into_iter().filter_map(saved_view).collect(),
        })
    })
    .await
}

pub(super) async fn save(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    known_kind(&kind)?;
    if name.len() > MAX_NAME {
        return Err(ApiError::bad_request(format!(
            "the name is longer than {MAX_NAME} bytes"
        )));
    }
    if body.len() > MAX_SAVED {
        return Err(ApiError::too_large(format!(
            "the value is larger than {MAX_SAVED} bytes"
        )));
    }
    let value: Box<RawValue> = serde_json::from_slice(&body)
        .map_err(|error| ApiError::bad_request(format!("the value is not JSON: {error}")))?;
    let app = parameters.owned("app").unwrap_or_default();
    let updated = context
        .store
        .save([
            app.clone(),
            kind.clone(),
            name.clone(),
            value.get().to_owned(),
        ])
        .await?;
    let view = SavedView {
        kind,
        name,
        app: (!app.is_empty()).then_some(app),
        value,
        updated: Time(updated),
    };
    Ok(Json(view).into_response())
}

#[derive(Debug, Serialize)]
struct Deleted {
    items: i64,
}

pub(super) async fn unsave(
    State(context): State<Context>,
    Path((kind, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    known_kind(&kind)?;
    let app = parameters.owned("app").unwrap_or_default();
    let count = context.store.unsave([app, kind, name]).await?;
    let items = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Json(Deleted { items }).into_response())
}

pub(super) async fn delete(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    let items = context.store.delete(parameters.owned("app")).await?;
    Ok(Json(Deleted { items }).into_response())
}
