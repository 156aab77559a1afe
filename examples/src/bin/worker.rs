//! Processes a queue: each background job is a request in the trace of the order that caused it.
//!
//! ```text
//! cargo run -p azmon-portal -- portal
//! APPLICATIONINSIGHTS_CONNECTION_STRING='…' cargo run -p azmon-examples --bin worker
//! ```

use std::error::Error;
use std::fmt;
use std::time::Duration;

use azmon::Telemetry;
use azmon::instrument::OperationName;
use opentelemetry::trace::{FutureExt, Span, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue, global};
use tokio::sync::mpsc;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// A job, and the context of the code that enqueued it.
#[derive(Debug)]
struct Job {
    order: u32,
    caller: Context,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let telemetry = Telemetry::builder().service_name("worker").build()?;
    tracing_subscriber::registry()
        .with(telemetry.tracing_layer())
        .init();
    let (sender, receiver) = mpsc::channel(16);
    let worker = tokio::spawn(work_off(receiver));
    for order in [1, 2, 13] {
        enqueue(&sender, order).await?;
    }
    drop(sender);
    worker.await?;
    telemetry.shutdown(Duration::from_secs(5))?;
    Ok(())
}

/// Enqueues a job in a producer span: a dependency of the type `Queue Message`.
async fn enqueue(queue: &mpsc::Sender<Job>, order: u32) -> Result<(), mpsc::error::SendError<Job>> {
    let tracer = global::tracer("worker");
    let span = tracer
        .span_builder("enqueue shipment")
        .with_kind(SpanKind::Producer)
        .with_attributes([KeyValue::new("messaging.destination.name", "shipments")])
        .start(&tracer);
    let caller = Context::current_with_span(span);
    let result = queue
        .send(Job {
            order,
            caller: caller.clone(),
        })
        .await;
    caller.span().end();
    result
}

/// Processes each job in a consumer span: a request.
async fn work_off(mut jobs: mpsc::Receiver<Job>) {
    let tracer = global::tracer("worker");
    while let Some(Job { order, caller }) = jobs.recv().await {
        let mut span = tracer
            .span_builder("ship order")
            .with_kind(SpanKind::Consumer)
            .with_attributes([KeyValue::new("messaging.destination.name", "shipments")])
            .start_with_context(&tracer, &caller);
        span.set_attribute(KeyValue::new("order", i64::from(order)));
        // Logs, calls and spans below belong to the request, whose name is their operation name.
        let context = caller
            .with_span(span)
            .with_value(OperationName("ship order".into()));
        let result = ship(order).with_context(context.clone()).await;
        if result.is_err() {
            context.span().set_status(Status::error("not shipped"));
        }
        context.span().end();
    }
}

async fn ship(order: u32) -> Result<(), Unlucky> {
    tracing::info!(order, "shipping");
    tokio::time::sleep(Duration::from_millis(5)).await;
    if order == 13 {
        tracing::error!(error = &Unlucky as &dyn Error, order, "not shipped");
        return Err(Unlucky);
    }
    Ok(())
}

/// The reason why an order is not shipped.
#[derive(Debug)]
struct Unlucky;

impl fmt::Display for Unlucky {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no carrier takes this order")
    }
}

impl Error for Unlucky {}
