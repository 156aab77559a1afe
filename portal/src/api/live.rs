//! `/api/events` and `/api/tail`: arriving telemetry as Server-Sent Events.

use std::convert::Infallible;
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use axum::extract::{RawQuery, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use serde::Serialize;
use tokio::time::{Instant, MissedTickBehavior};

use crate::api::Context;
use crate::api::ask::Ask;
use crate::api::manage::per_second;
use crate::api::parameters::{Parameters, RANGED, SEARCHED};
use crate::api::time::Time;
use crate::api::view::ItemView;
use crate::server::ApiError;
use crate::store::said::micros;
use crate::store::{ItemFilter, ItemKind, Order, Range};

const TICK: Duration = Duration::from_secs(1);
/// The maximum number of items sent to one reader in a second. Further items are only counted.
const MAX_TAILED: usize = 50;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tick {
    time: Time,
    per_second: f64,
    spark: Vec<u64>,
    newest: Option<Time>,
    newest_id: i64,
    items: i64,
    bytes: i64,
    max_bytes: u64,
    oldest_kept: Option<Time>,
    refused: u64,
    throttled: u64,
    changed: Vec<&'static str>,
    is_data_deleted: bool,
    new_problems: usize,
    findings: usize,
    run: i64,
}

/// The state of a stream between two ticks.
#[derive(Debug, Default)]
struct Seen {
    arrivals: [u64; ItemKind::ALL.len()],
    deletions: Option<u64>,
}

pub(super) async fn events(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(query.as_deref(), &[&["app"]])?;
    let app = parameters.owned("app");
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let state = (context, app, interval, Seen::default());
    let ticks = stream::unfold(state, |(context, app, mut interval, mut seen)| async move {
        loop {
            interval.tick().await;
            match tick(&context, app.clone(), &mut seen).await {
                Ok(tick) => {
                    let event = Event::default()
                        .event("tick")
                        .json_data(&tick)
                        .unwrap_or_default();
                    return Some((event, (context, app, interval, seen)));
                }
                // The next tick may succeed; the reader sees a gap.
                Err(error) => tracing::warn!(?error, "a tick was skipped"),
            }
        }
    });
    Ok(serve(ticks))
}

/// Serves events. Periodic comments keep proxies from closing the connection.
pub(super) fn serve(events: impl Stream<Item = Event> + Send + 'static) -> Response {
    let events = events.map(Ok::<_, Infallible>);
    Sse::new(events)
        .keep_alive(KeepAlive::default())
        .into_response()
}

async fn tick(context: &Context, app: Option<String>, seen: &mut Seen) -> Result<Tick, ApiError> {
    let (kept, new_problems, findings, run) = context
        .store
        .read(move |reader| {
            let runs = reader.runs(app.as_deref())?;
            let run = runs.first().map_or(0, |run| run.number);
            let problems = reader.problems(app.as_deref())?;
            let new = problems
                .iter()
                .filter(|problem| problem.run == run && run > 1)
                .count();
            let findings: std::collections::HashSet<_> = reader
                .findings(app.as_deref())?
                .into_iter()
                .map(|finding| (finding.id, finding.role))
                .collect();
            Ok::<_, ApiError>((reader.kept()?, new, findings.len(), run))
        })
        .await?;
    let counters = context.store.counters();
    let now = micros(SystemTime::now());
    let spark = counters.rate(now);
    let mut changed = Vec::new();
    for (kind, known) in ItemKind::ALL.iter().zip(&mut seen.arrivals) {
        let arrivals = counters.kind(*kind).arrivals;
        if arrivals != *known {
            *known = arrivals;
            changed.push(kind.as_str());
        }
    }
    let deletions = counters.deletions.load(Ordering::Relaxed);
    let is_data_deleted = seen
        .deletions
        .replace(deletions)
        .is_some_and(|before| before != deletions);
    Ok(Tick {
        time: Time(now),
        per_second: per_second(&spark),
        spark,
        newest: kept.map(|(_, newest)| Time(newest)),
        newest_id: context.newest_id(),
        items: counters.items.load(Ordering::Relaxed),
        bytes: counters.bytes.load(Ordering::Relaxed),
        max_bytes: context.store.limits().bytes,
        oldest_kept: kept.map(|(oldest, _)| Time(oldest)),
        refused: counters.refused.load(Ordering::Relaxed),
        throttled: counters.throttled.load(Ordering::Relaxed),
        changed,
        is_data_deleted,
        new_problems,
        findings,
        run,
    })
}

#[derive(Debug, Serialize)]
struct Skipped {
    count: usize,
}

/// Streams each matching item that arrives from now on.
pub(super) async fn tail(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let own = ["operation", "op", "target", "type", "duration", "success"];
    let parameters = Parameters::parse(query.as_deref(), &[&RANGED, &SEARCHED, &own])?;
    let mut filter = context
        .store
        .read(move |reader| Ask::new(reader, &parameters)?.filter(&parameters))
        .await?;
    // An arriving item may have any timestamp.
    filter.range = Range::ALL;
    let start = context.newest_id();
    let arrivals = context.store.arrivals();
    let state = (context, filter, start, arrivals, Instant::now() - TICK);
    let batches = stream::unfold(
        state,
        |(context, filter, after, mut arrivals, last)| async move {
            // The minimum time between two queries, so that a busy portal is not queried for each commit.
            const PAUSE: Duration = Duration::from_millis(200);
            tokio::time::sleep_until(last + PAUSE).await;
            loop {
                arrivals.borrow_and_update();
                let newest = context.newest_id();
                if newest > after {
                    let events = arrived(&context, filter.clone(), after).await;
                    return Some((
                        stream::iter(events),
                        (context, filter, newest, arrivals, Instant::now()),
                    ));
                }
                if arrivals.changed().await.is_err() {
                    return None;
                }
            }
        },
    );
    Ok(serve(batches.flatten()))
}

async fn arrived(context: &Context, filter: ItemFilter, after: i64) -> Vec<Event> {
    let found = context
        .store
        .read(move |reader| {
            let mut views = Vec::new();
            let mut skipped = 0;
            let scanned = reader.matching(&filter, Order::ArrivedAfter(after), &mut |item, _| {
                if views.len() < MAX_TAILED / 5 {
                    views.push(ItemView::new(&item));
                } else {
                    skipped += 1;
                }
                if skipped < 2_000 {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            scanned.map(|_| (views, skipped))
        })
        .await;
    let (views, skipped) = match found {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "arrived items could not be read");
            return Vec::new();
        }
    };
    let mut events: Vec<_> = views
        .iter()
        .filter_map(|view| {
            Event::default()
                .event("item")
                .id(view.id.to_string())
                .json_data(view)
                .ok()
        })
        .collect();
    if skipped > 0 {
        events.extend(
            Event::default()
                .event("skipped")
                .json_data(Skipped { count: skipped })
                .ok(),
        );
    }
    events
}
