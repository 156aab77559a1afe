//! Fields of enclosing `tracing` spans as properties of log records.

use azmon::SpanFields;
use azmon::envelope::Envelope;
use tracing::{info, info_span};

use crate::support::property;
use crate::tracing_layer::{named, traced, traced_by};

/// Events inside of two spans, one of which learns a field late.
fn inside_of_spans(_: &azmon::Telemetry) {
    let request = info_span!(
        "request",
        user_id = 123,
        tenant = "north",
        order = tracing::field::Empty
    );
    request.in_scope(|| {
        info!("before");
        request.record("order", 7_u64);
        let inner = info_span!("inner", tenant = "south", depth = 2.5, fine = true, what = ?[1]);
        inner.in_scope(|| {
            info!(status = 200, "after");
            info!(tenant = "own", "with its own");
        });
        info!(parent: None, "apart");
    });
}

/// Properties of an event by the names of the fields, those that it lacks left out.
fn fields(envelopes: &[Envelope<'static>], event: &str) -> String {
    let envelope = named(envelopes, event);
    let names = [
        "user_id", "tenant", "order", "depth", "fine", "what", "status",
    ];
    let found = names.into_iter().filter_map(|name| {
        let value = property(envelope, name)?;
        Some(format!("{name}={value}"))
    });
    found.collect::<Vec<_>>().join(" ")
}

#[test]
fn fields_of_enclosing_spans_are_off_by_default() {
    for envelopes in [
        traced(inside_of_spans),
        traced_by(|b| b.log_span_fields(SpanFields::none()), inside_of_spans),
    ] {
        assert_eq!(fields(&envelopes, "before"), "");
        assert_eq!(fields(&envelopes, "after"), "status=200");
    }
}

#[test]
fn fields_of_all_enclosing_spans_are_properties_late_ones_too_and_the_innermost_wins() {
    let envelopes = traced_by(|b| b.log_span_fields(SpanFields::all()), inside_of_spans);
    assert_eq!(fields(&envelopes, "before"), "user_id=123 tenant=north");
    assert_eq!(
        fields(&envelopes, "after"),
        "user_id=123 tenant=south order=7 depth=2.5 fine=true what=[1] status=200"
    );
    assert!(fields(&envelopes, "with its own").contains("tenant=own "));
    assert_eq!(fields(&envelopes, "apart"), "");
}

#[test]
fn of_enclosing_spans_only_the_listed_fields_are_properties() {
    let only = SpanFields::only(["tenant", "order"]);
    let envelopes = traced_by(|b| b.log_span_fields(only), inside_of_spans);
    assert_eq!(fields(&envelopes, "before"), "tenant=north");
    assert_eq!(
        fields(&envelopes, "after"),
        "tenant=south order=7 status=200"
    );
}
