//! Requests that are not sampled are counted without a record, as those with one are.

use opentelemetry::trace::{SpanKind, Status, TraceContextExt, TraceState};
use opentelemetry::{Context, KeyValue};

use super::exchanges::exchange;
use super::{START, assert_same, end, new, span_context};
use crate::TelemetryBuilder;
use crate::instrument::RecordedBy;
use crate::instrument::http::{Ending, Side};

fn unsampled(builder: TelemetryBuilder) -> TelemetryBuilder {
    builder.sampling_ratio(0.0).standard_metrics(true)
}

#[test]
fn the_end_of_its_exchange_and_what_a_handler_sets_decide() {
    let resource = |code| KeyValue::new("microsoft.request.resultCode", code);
    let cases: [(u16, Ending<'_>, Option<Status>, Option<KeyValue>, &str); 8] = [
        (
            200,
            Ending::AtHeaders,
            None,
            None,
            r#""Request.Success":"True","request/resultCode":"200""#,
        ),
        (
            503,
            Ending::AtHeaders,
            None,
            None,
            r#""Request.Success":"False","request/resultCode":"503""#,
        ),
        (
            200,
            Ending::Panicked,
            None,
            None,
            r#""Request.Success":"False""#,
        ),
        (
            200,
            Ending::Failed("timeout"),
            None,
            None,
            r#""Request.Success":"False""#,
        ),
        (
            200,
            Ending::AtHeaders,
            Some(Status::error("why")),
            None,
            r#""Request.Success":"False""#,
        ),
        (
            503,
            Ending::AtHeaders,
            Some(Status::Ok),
            None,
            r#""Request.Success":"True""#,
        ),
        (
            200,
            Ending::AtHeaders,
            None,
            Some(resource("E7")),
            r#""request/resultCode":"E7""#,
        ),
        (
            200,
            Ending::AtHeaders,
            None,
            Some(KeyValue::new("app.user", 1)),
            r#""request/resultCode":"200""#,
        ),
    ];
    for (code, ending, status, attribute, expected) in cases {
        let sent = assert_same(unsampled, |tracer, content| {
            let started = tracer.start_span(new(content, SpanKind::Server), &Context::new());
            let is_direct = started.recorded_by != RecordedBy::Tracer;
            let is_counted = started.recorded_by == RecordedBy::Counter;
            assert_eq!(is_counted, is_direct && content.is_late);
            let exchange = exchange(Side::Server, started, code);
            {
                let span = exchange.context().span();
                assert!(span.is_recording());
                // Of these nothing is kept.
                span.update_name("renamed");
                span.add_event_with_timestamp("happened", START, vec![]);
                span.add_link(span_context(TraceState::NONE), vec![]);
                status
                    .iter()
                    .for_each(|status| span.set_status(status.clone()));
                attribute
                    .iter()
                    .for_each(|one| span.set_attribute(one.clone()));
            }
            exchange.end(ending);
        });
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert!(sent.concat().contains(expected), "{expected}: {sent:?}");
    }
}

#[test]
fn it_counts_once_however_it_ends() {
    let sent = assert_same(unsampled, |tracer, content| {
        for is_ended in [true, false] {
            let started = tracer.start_span(new(content, SpanKind::Server), &Context::new());
            if is_ended {
                let span = started.context.span();
                span.end_with_timestamp(end());
                assert!(!span.is_recording());
                span.set_status(Status::error("too late"));
                span.end_with_timestamp(end());
            }
            drop(started);
        }
    });
    let count = r#""count":2"#;
    assert!(sent.concat().contains(count), "{sent:?}");
    assert!(sent.concat().contains(r#""min":3000.0"#), "{sent:?}");
    let failed = r#""Request.Success":"False""#;
    assert!(!sent.concat().contains(failed), "{sent:?}");
}

#[test]
fn what_may_be_kept_later_has_a_record() {
    let kept = |builder: TelemetryBuilder| unsampled(builder).keep_failures();
    let sent = assert_same(kept, |tracer, content| {
        let started = tracer.start_span(new(content, SpanKind::Server), &Context::new());
        assert_ne!(started.recorded_by, RecordedBy::Counter);
        exchange(Side::Server, started, 503).end(Ending::AtHeaders);
    });
    assert_eq!(sent.len(), 2, "{sent:?}");
}
