//! Queries whose spans go straight to a pipeline.

use std::sync::{Arc, Mutex, MutexGuard};

use azmon_instrument::direct::{self, Detached, NewDetached, SpanRate, SpanStart, TakeRecord};
use azmon_instrument::{NewRecord, NewSpan, SpanRecord, StartSpan, StartedSpan};
use azmon_sqlx::{SqliteConnection, TraceOptions};
use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider};
use sqlx::Connection;
use tokio::runtime::Runtime;

use crate::allocations::{Allocations, SQLITE};
use crate::{CREATE, sqlite};

/// The contents of an ended span.
type Said = (String, SpanKind, Vec<KeyValue>, Status);

/// A pipeline that takes every span.
#[derive(Debug, Clone, Default)]
struct Straight(Arc<Taken>);

/// The records that there is room for.
#[derive(Debug, Default)]
struct Taken(Mutex<Vec<Box<SpanRecord>>>);

impl Straight {
    fn records(&self) -> MutexGuard<'_, Vec<Box<SpanRecord>>> {
        self.0.0.lock().unwrap()
    }

    fn said(&self) -> Vec<Said> {
        let mut records = self.records();
        let said = records.drain(..).map(|mut record| {
            let span = record.complete();
            assert!(span.end_time >= span.start_time);
            (
                span.name.to_string(),
                span.span_kind.clone(),
                span.attributes.clone(),
                span.status.clone(),
            )
        });
        said.collect()
    }
}

impl TakeRecord for Taken {
    fn take(&self, record: Box<SpanRecord>) {
        let mut records = self.0.lock().unwrap();
        // Deferred attributes allocate nothing until a processor reads them.
        if records.len() < records.capacity() {
            records.push(record);
        }
    }
}

impl StartSpan for Straight {
    fn start_span(&self, _: NewSpan<'_>, parent: &Context) -> StartedSpan {
        StartedSpan::nothing(parent.clone())
    }

    fn start_detached(&self, new: NewSpan<'_>, _: &Context) -> Detached {
        let record = NewRecord::new(SpanStart {
            span_context: SpanContext::new(
                TraceId::from(1),
                SpanId::from(2),
                TraceFlags::SAMPLED,
                false,
                TraceState::NONE,
            ),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: new.kind,
            name: new.content.name(),
            start_time: new.started_at,
            attributes: Vec::new(),
            links: new.links,
            dropped_links_count: 0,
            rate: SpanRate::Unknown,
            max_attributes: 128,
        });
        Detached::Recorded(NewDetached::new(record, Arc::<Taken>::clone(&self.0)))
    }
}

/// They say what spans of the SDK say.
pub(crate) fn assert_the_same_is_said(runtime: &Runtime, bare: &Allocations) {
    let exporter = InMemorySpanExporter::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let options = TraceOptions::new().tracer_provider(&provider);
    runtime.block_on(query(options));
    let by_the_sdk = exporter.get_finished_spans().unwrap().into_iter();
    let by_the_sdk: Vec<Said> = by_the_sdk
        .map(|span| {
            let name = span.name.into_owned();
            (name, span.span_kind, span.attributes, span.status)
        })
        .collect();
    assert_eq!(by_the_sdk.len(), 5, "{by_the_sdk:?}");

    let straight = Straight::default();
    straight.records().reserve(16);
    direct::set_tracer(Some(Arc::new(straight.clone())));
    runtime.block_on(query(TraceOptions::new()));
    assert_eq!(straight.said(), by_the_sdk);

    let mut connection = sqlite(runtime);
    *straight.records() = Vec::new();
    Allocations::of(runtime, &mut connection, SQLITE).assert_at_most(2, bare);
    direct::set_tracer(None);
}

const LONG: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000) \
                    SELECT count(*) FROM n";

/// Queries that succeed, change rows, fail, and are dropped.
async fn query(options: TraceOptions) {
    let raw = sqlx::SqliteConnection::connect("sqlite::memory:");
    let raw = raw.await.unwrap();
    let target = "sqlite::memory:".parse().unwrap();
    let mut connection = SqliteConnection::new(raw, &target, options);
    sqlx::raw_sql(CREATE)
        .execute(&mut connection)
        .await
        .unwrap();
    let found = sqlx::query("SELECT name FROM users WHERE id = ?").bind(1);
    found.fetch_all(&mut connection).await.unwrap();
    let changed = sqlx::query("UPDATE users SET name = 'x'");
    changed.execute(&mut connection).await.unwrap();
    let failed = sqlx::query("SELECT nothing FROM nowhere");
    failed.execute(&mut connection).await.unwrap_err();
    // It starts when it is polled first, and takes too long to be ready then.
    let dropped = sqlx::query(LONG).execute(&mut connection);
    let mut dropped = std::pin::pin!(dropped);
    let waker = std::task::Waker::noop();
    let polled = Future::poll(dropped.as_mut(), &mut std::task::Context::from_waker(waker));
    assert!(polled.is_pending());
}
