//! Wrappers of sqlx's pool and connection.

use azmon_benches::areas::database::{Ids, MANY_ROWS, ONE_ROW, Place, fetch, pool, runtime};
use azmon_benches::{Case, Workload};
use opentelemetry_0_32::trace::{
    SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry_0_32::{Context, ContextGuard};
use opentelemetry_sdk_0_32::trace::Sampler;
use sqlx_otel::PoolBuilder;

use crate::stock_0_32::Stock;

const NAME: &str = "sqlx-otel";

/// The ids of the cases of a place: recorded, with metrics, unsampled.
macro_rules! ids {
    ($place:literal) => {
        [
            concat!($place, "/sqlx-otel/recorded"),
            concat!($place, "/sqlx-otel/metrics"),
            concat!($place, "/sqlx-otel/unsampled"),
        ]
    };
}

pub(crate) fn one_row() -> Vec<Case> {
    let ids = [
        ids!("database/connection/one"),
        ids!("database/connection/search"),
        ids!("database/pool/one"),
        ids!("database/pool/search"),
    ];
    cases(ONE_ROW.into_iter().zip(ids))
}

pub(crate) fn many_rows() -> Vec<Case> {
    let ids = [ids!("rows/connection"), ids!("rows/pool")];
    cases(MANY_ROWS.into_iter().zip(ids))
}

fn cases(places: impl Iterator<Item = (Place, [&'static str; 3])>) -> Vec<Case> {
    places
        .flat_map(|(place, ids)| cases_in(place, ids))
        .collect()
}

fn cases_in(place: Place, [recorded, metrics, unsampled]: [&'static str; 3]) -> [Case; 3] {
    let label = |variant| format!("{}: {}", place.label, crate::label(NAME, variant));
    let Ids { bare, .. } = place.ids;
    let cases = [
        Case::peer(recorded, label(""), move || {
            queries(place, stock(), TraceFlags::SAMPLED)
        })
        .group(place.ids.recorded)
        .records(1),
        Case::peer(metrics, label("with metrics"), move || {
            queries(place, stock().with_metrics(), TraceFlags::SAMPLED)
        })
        .group(place.ids.metrics)
        .records(1),
        Case::peer(unsampled, label("unsampled"), move || {
            queries(place, stock(), TraceFlags::NOT_SAMPLED)
        })
        .group(place.ids.unsampled)
        .records(0),
    ];
    cases.map(|case| case.above(bare))
}

fn stock() -> Stock {
    Stock::sampled(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
}

fn queries(place: Place, backend: Stock, flags: TraceFlags) -> Box<dyn Workload> {
    let runtime = runtime();
    let pool = PoolBuilder::from(runtime.block_on(pool())).build();
    if place.pooled {
        let ask = async move |query| fetch(&pool, query).await;
        place.queries(runtime, backend, request(flags), ask)
    } else {
        let connection = runtime.block_on(pool.acquire());
        let mut connection = connection.expect("the pool has a connection");
        let ask = async move |query| fetch(&mut connection, query).await;
        place.queries(runtime, backend, request(flags), ask)
    }
}

/// Starts the handling of a request, in OpenTelemetry 0.32.
fn request(flags: TraceFlags) -> ContextGuard {
    let parent = SpanContext::new(
        TraceId::from_bytes([7; 16]),
        SpanId::from_bytes([7; 8]),
        flags,
        false,
        TraceState::NONE,
    );
    Context::new().with_remote_span_context(parent).attach()
}
