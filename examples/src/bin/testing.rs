//! Tests the telemetry of your own code without a network. The test sees the items that Azure Monitor would
//! receive.
//!
//! In a real project, `checkout` is the code, and the functions below `main` are tests.
//!
//! ```text
//! cargo run -p azmon-examples --bin testing
//! ```

use std::error::Error;

use azmon::Telemetry;
use azmon::envelope::{Data, Envelope};
use azmon::testing::{InMemoryDestination, captured};
use opentelemetry::trace::{Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;

/// The code under test: an order in a span, which fails if it is empty, and a log record.
fn checkout(provider: &SdkTracerProvider, items: u32) {
    provider.tracer("shop").in_span("checkout", |context| {
        tracing::info!(items, "checking out");
        if items == 0 {
            context.span().set_status(Status::error("an empty order"));
        }
    });
}

#[expect(clippy::print_stdout, reason = "the program talks to a person")]
fn main() -> Result<(), Box<dyn Error>> {
    an_empty_order_fails();
    log_records_belong_to_the_order()?;
    println!("2 tests passed");
    Ok(())
}

/// Spans only: `captured` provides a tracer provider, and returns the sent items.
fn an_empty_order_fails() {
    let envelopes = captured(|provider| {
        checkout(provider, 3);
        checkout(provider, 0);
    });
    let successes: Vec<_> = envelopes
        .iter()
        .filter_map(|envelope| match &envelope.data {
            Data::RemoteDependency(data) => Some(data.success),
            _ => None,
        })
        .collect();
    assert_eq!(successes, [true, false]);
}

/// All signals: a `Telemetry` for one test, which is not installed globally.
fn log_records_belong_to_the_order() -> Result<(), Box<dyn Error>> {
    let destination = InMemoryDestination::new();
    let telemetry = Telemetry::builder()
        .destination(&destination)
        .install_globally(false)
        .build()?;
    let subscriber = tracing_subscriber::registry().with(telemetry.tracing_layer());
    tracing::subscriber::with_default(subscriber, || checkout(telemetry.tracer_provider(), 3));
    telemetry.force_flush()?;

    let envelopes = destination.envelopes();
    let operation = |name: &str| {
        let mut found = envelopes
            .iter()
            .filter(|envelope| envelope.name.ends_with(name));
        found.next().and_then(operation_id)
    };
    assert!(operation(".Message").is_some());
    assert_eq!(operation(".Message"), operation(".RemoteDependency"));
    Ok(())
}

fn operation_id<'a>(envelope: &'a Envelope<'_>) -> Option<&'a str> {
    let id = envelope.tags.get(azmon::envelope::tags::OPERATION_ID)?;
    Some(id)
}
