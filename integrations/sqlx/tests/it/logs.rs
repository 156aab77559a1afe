//! The log records of a driver belong to the span of their query.

use std::cell::RefCell;
use std::sync::Once;

use azmon_instrument::exclude::without_spans;
use opentelemetry::Context;
use opentelemetry::trace::{
    FutureExt, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

use crate::support::{Telemetry, databases};

thread_local! {
    /// The active spans at the log records of this thread.
    static LOGGED: RefCell<Vec<SpanId>> = const { RefCell::new(Vec::new()) };
}

/// Keeps the span that is active when sqlx logs a query.
///
/// It is process-wide: the enabled level of a single thread would depend on the other threads.
struct Logged;

impl Subscriber for Logged {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        let current = Context::current().span().span_context().span_id();
        LOGGED.with_borrow_mut(|logged| logged.push(current));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn keep_logs() {
    static SET: Once = Once::new();
    SET.call_once(|| tracing::subscriber::set_global_default(Logged).unwrap());
}

async fn pool() -> (azmon_sqlx::PgPool, Telemetry) {
    keep_logs();
    let telemetry = Telemetry::new();
    let options = databases::postgres::new_database().await;
    let pool = databases::postgres::PoolOptions::new()
        .trace(telemetry.options())
        .connect_with(options)
        .await
        .unwrap();
    LOGGED.take();
    (pool, telemetry)
}

#[tokio::test]
async fn queries_of_an_excluded_request_are_no_spans_but_their_logs_and_errors_arrive() {
    let (pool, telemetry) = pool().await;
    telemetry.take();
    let request = SpanContext::new(
        TraceId::from(1),
        SpanId::from(7),
        TraceFlags::NOT_SAMPLED,
        false,
        TraceState::NONE,
    );
    let request = Context::new().with_remote_span_context(request);
    let excluded = without_spans(&request, None);
    let (taken, refused) = async {
        let taken = sqlx::query("SELECT 1").execute(&pool).await;
        (
            taken,
            sqlx::query("SELECT * FROM nowhere").execute(&pool).await,
        )
    }
    .with_context(excluded)
    .await;
    taken.unwrap();
    let error = refused.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().unwrap(), "42P01");
    let logged = LOGGED.take();
    assert!(!logged.is_empty(), "nothing was logged");
    assert!(
        logged.iter().all(|span| *span == SpanId::from(7)),
        "{logged:?}"
    );
    assert_eq!(telemetry.take().len(), 0);
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
    assert_eq!(telemetry.take().len(), 1);
}

#[tokio::test]
async fn logs_of_the_driver_are_inside_the_span_of_the_query() {
    let (pool, telemetry) = pool().await;
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
    let mut rows = sqlx::query(databases::postgres::MANY_ROWS).fetch(&pool);
    futures_util::StreamExt::next(&mut rows)
        .await
        .unwrap()
        .unwrap();
    drop(rows);
    let spans: Vec<_> = telemetry
        .take()
        .iter()
        .map(|span| span.0.span_context.span_id())
        .collect();
    assert_eq!(spans.len(), 2);
    assert_eq!(LOGGED.take(), spans);
}
