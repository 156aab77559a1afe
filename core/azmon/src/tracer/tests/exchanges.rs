//! Spans that end with their exchange.

use std::time::Instant;

use http::{Method, StatusCode, Version};
use opentelemetry::trace::{SpanKind, TraceContextExt};
use opentelemetry::{Context, KeyValue};

use super::{START, assert_same, done, end, new};
use crate::instrument::StartedSpan;
use crate::instrument::http::{EndRules, Ending, Exchange, NewExchange, Side};

/// The exchange with a started span and a response of this status.
pub(super) fn exchange(side: Side, started: StartedSpan, status: u16) -> Exchange {
    let rules = EndRules {
        cancellation_is_error: true,
        ..EndRules::default()
    };
    let mut exchange = Exchange::start(NewExchange {
        side,
        method: &Method::GET,
        context: started.context,
        recorded_by: started.recorded_by,
        started: Instant::now(),
        started_at: START,
        metrics: None,
        version: Some(Version::HTTP_11),
        request_size: None,
        rules: &rules,
        caller: 0,
        has_route: false,
        late_method: None,
        claimed_rpc: None,
    });
    exchange.on_plain_response(StatusCode::from_u16(status).unwrap(), Some(17));
    exchange
}

#[test]
fn what_became_of_an_exchange_arrives() {
    for limit in [None, Some("5")] {
        let limits = move |name: &str| {
            let is_limit = name == "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT";
            limit.filter(|_| is_limit).map(str::to_owned)
        };
        let sent = assert_same(
            |builder| builder.environment(limits),
            |tracer, content| {
                for (status, ending) in [
                    (200, Ending::AtHeaders),
                    (404, Ending::AtHeaders),
                    (200, Ending::Cancelled),
                    (200, Ending::Failed("timeout")),
                ] {
                    let started =
                        tracer.start_span(new(content, SpanKind::Client), &Context::new());
                    let exchange = exchange(Side::Client, started, status);
                    exchange
                        .context()
                        .span()
                        .set_attribute(KeyValue::new("between", 1));
                    exchange.end(ending);
                }
            },
        );
        let properties = [
            r#""http.response.body.size":"17""#,
            r#""error.type":"404""#,
            r#""azmon.cancelled":"in_body""#,
            r#""error.type":"timeout""#,
        ];
        for (text, property) in sent.iter().zip(properties) {
            assert_eq!(text.contains(property), limit.is_none(), "{text}");
            assert_eq!(text.contains("\"success\":true"), property.contains("size"));
        }
        assert_eq!(sent.len(), properties.len());
    }
}

#[test]
fn a_span_that_was_ended_before_leaves_nothing_of_its_exchange_to_the_next() {
    let sent = assert_same(
        |builder| builder,
        |tracer, content| {
            let start = || tracer.start_span(new(content, SpanKind::Client), &Context::new());
            let exchange = exchange(Side::Client, start(), 418);
            exchange.context().span().end_with_timestamp(end());
            exchange.end(Ending::AtHeaders);
            done(&start(), |_| {});
        },
    );
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(!sent.concat().contains("418"), "{sent:?}");
}
