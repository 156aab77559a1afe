//! Custom events, availability results and exceptions by direct calls.

use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, tags};
use azmon::instrument::Identity;
use azmon::testing::InMemoryDestination;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::trace::Sampler;

use crate::child;
use crate::support::{
    builder, exception, flushed, in_memory, in_memory_builder, name, property, request, tag,
};

#[test]
fn a_custom_event_has_its_properties_and_measurements_and_its_operation() {
    let (telemetry, destination) = in_memory();
    let context = request(&telemetry, "POST /checkout");
    let span = context.span().span_context().clone();
    let _guard = context.attach();
    telemetry
        .event("checkout")
        .property("coupon", "SPRING")
        .property("items", 3)
        .measurement("amount", 49.9)
        .measurement("nothing", f64::NAN)
        .identity(&Identity::new().user_id("u").session_id("s"))
        .time(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000))
        .send();
    let envelopes = flushed(&telemetry, &destination);
    let [envelope] = &envelopes[..] else {
        panic!("{envelopes:?}")
    };
    let Data::Event(data) = &envelope.data else {
        panic!("{envelope:?}")
    };
    assert_eq!(data.name, "checkout");
    assert_eq!(
        data.measurements.iter().collect::<Vec<_>>(),
        [("amount", &49.9)]
    );
    assert_eq!(property(envelope, "coupon"), Some("SPRING"));
    assert_eq!(property(envelope, "items"), Some("3"));
    let since = envelope
        .time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    assert_eq!(since.as_secs(), 1_700_000_000);
    for (key, value) in [
        (tags::USER_ID, "u"),
        (tags::SESSION_ID, "s"),
        (tags::OPERATION_NAME, "POST /checkout"),
        (tags::OPERATION_ID, &*span.trace_id().to_string()),
        (tags::OPERATION_PARENT_ID, &*span.span_id().to_string()),
    ] {
        assert_eq!(tag(envelope, key), Some(value));
    }
}

#[test]
fn an_availability_result_is_sent_at_any_sampling_rate() {
    let destination = InMemoryDestination::new();
    let telemetry = in_memory_builder(&destination)
        .sampler(Sampler::AlwaysOff)
        .build()
        .unwrap();
    let _guard = request(&telemetry, "GET /test").attach();
    telemetry
        .availability("home page", false)
        .id("run 1")
        .duration(Duration::from_millis(1_250))
        .run_location("West Europe")
        .message("503")
        .property("attempt", 2)
        .send();
    telemetry.availability("home page", true).send();
    telemetry.event("left out with its span").send();
    let envelopes = flushed(&telemetry, &destination);
    let results: Vec<_> = envelopes
        .iter()
        .map(|envelope| match &envelope.data {
            Data::Availability(data) => data,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(results.len(), 2);
    assert_eq!(
        (results[0].id.as_ref(), results[0].name.as_ref()),
        ("run 1", "home page")
    );
    assert_eq!(results[0].duration.0, Duration::from_millis(1_250));
    assert!(!results[0].success);
    assert_eq!(results[0].run_location.as_deref(), Some("West Europe"));
    assert_eq!(results[0].message.as_deref(), Some("503"));
    assert_eq!(property(&envelopes[0], "attempt"), Some("2"));
    assert_eq!((results[1].success, results[1].id.len()), (true, 32));
}

#[test]
fn an_exception_has_the_chain_of_sources() {
    let (telemetry, destination) = in_memory();
    let root = "x".parse::<u32>().unwrap_err();
    let error = anyhow::Error::new(root).context("the quantity is no number");
    telemetry
        .exception(error.as_ref())
        .property("order", 7)
        .send();
    let envelopes = flushed(&telemetry, &destination);
    let chain: Vec<_> = exception(&envelopes[0])
        .exceptions
        .iter()
        .map(|e| (e.id, e.outer_id, e.type_name.as_deref(), e.message.as_ref()))
        .collect();
    let root = "invalid digit found in string";
    assert_eq!(
        chain,
        [
            (Some(1), None, Some("Error"), "the quantity is no number"),
            (Some(2), Some(1), Some("ParseIntError"), root),
        ]
    );
    assert_eq!(property(&envelopes[0], "order"), Some("7"));
}

#[test]
fn the_identity_of_the_context_is_that_of_spans_and_records_in_it() {
    let (telemetry, destination) = in_memory();
    let identity = Identity::new()
        .authenticated_user_id("ada")
        .account_id("acme");
    let _guard = Context::current_with_value(identity).attach();
    telemetry
        .tracer_provider()
        .tracer("it")
        .in_span("work", |_| ());
    telemetry.event("worked").send();
    let envelopes = flushed(&telemetry, &destination);
    assert_eq!(envelopes.len(), 2);
    for envelope in &envelopes {
        assert_eq!(tag(envelope, tags::USER_AUTH_USER_ID), Some("ada"));
        assert_eq!(tag(envelope, tags::USER_ACCOUNT_ID), Some("acme"));
    }
}

#[test]
fn direct_calls_without_telemetry_go_to_that_which_is_installed_globally() {
    let (envelopes, output) = child::run("track::global", "", "0");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(envelopes.iter().map(name).collect::<Vec<_>>(), ["after"]);
}

#[test]
#[ignore = "other tests run it in a child process"]
fn global() {
    let (_, connection_string) = child::told();
    azmon::event("before").send();
    let telemetry = builder(connection_string)
        .install_globally(true)
        .build()
        .unwrap();
    azmon::event("after").send();
    telemetry.force_flush().unwrap();
}
