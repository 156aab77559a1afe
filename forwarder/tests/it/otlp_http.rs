//! OTLP over HTTP: encodings, sizes, responses.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use azmon::envelope::{Data, SeverityLevel, tags};
use azmon_forwarder::inputs::{Limits, OtlpOptions};
use azmon_forwarder::sink::{Acceptance, Refusal};
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::support::{Kept, named, otlp_http, property, tag};

const TRACE: &str = include_str!("../data/otlp/trace.json");
const LOGS: &str = include_str!("../data/otlp/logs.json");
const EVENTS: &str = include_str!("../data/otlp/events.json");
const METRICS: &str = include_str!("../data/otlp/metrics.json");

async fn post(url: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Response {
    reqwest::Client::new()
        .post(url)
        .header("content-type", content_type)
        .body(body)
        .send()
        .await
        .unwrap()
}

fn message(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans {
        spans,
        ..ScopeSpans::default()
    }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            scope_spans,
            ..ResourceSpans::default()
        }],
    }
}

fn span(id: u8, name: &str) -> Span {
    Span {
        trace_id: vec![1; 16],
        span_id: vec![id; 8],
        name: name.to_owned(),
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_250_000_000,
        ..Span::default()
    }
}

#[tokio::test]
async fn the_examples_of_the_specification_are_read() {
    let sink = Arc::new(Kept::default());
    let (address, input) = otlp_http(&sink, OtlpOptions::default()).await;
    for (path, body) in [
        ("traces", TRACE),
        ("logs", LOGS),
        ("logs", EVENTS),
        ("metrics", METRICS),
    ] {
        let url = format!("http://{address}/v1/{path}");
        let answer = post(&url, "application/json", body).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.text().await.unwrap(), "{}", "{path}");
    }
    let envelopes = sink.envelopes();
    let span = named(&envelopes, "I'm a server span");
    assert!(matches!(span.data, Data::Request(_)));
    let id = "5b8efff798038103d269b633813fc60c";
    assert_eq!(tag(span, tags::OPERATION_ID), Some(id));
    assert_eq!(
        tag(span, tags::OPERATION_PARENT_ID),
        Some("eee19b7ec3c1b173")
    );
    assert_eq!(tag(span, tags::CLOUD_ROLE), Some("my.service"));
    assert_eq!(property(span, "my.span.attr"), Some("some value"));

    let log = named(&envelopes, "Example log record");
    let Data::Message(message) = &log.data else {
        panic!("{log:?}")
    };
    assert_eq!(message.severity_level, Some(SeverityLevel::Information));
    assert_eq!(
        property(log, "map.attribute"),
        Some(r#"{"some.map.key":"some value"}"#)
    );
    assert_eq!(
        property(log, "array.attribute"),
        Some(r#"["many","values"]"#)
    );

    let point = |name: &str| match &named(&envelopes, name).data {
        Data::Metric(data) => data.metrics[0].clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(point("my.counter").value, 5.0);
    assert_eq!(point("my.gauge").value, 10.0);
    let histogram = point("my.histogram");
    assert_eq!((histogram.value, histogram.count), (2.0, Some(2)));
    assert_eq!((histogram.min, histogram.max), (Some(0.0), Some(2.0)));
    let histogram = point("my.exponential.histogram");
    assert_eq!((histogram.value, histogram.count), (10.0, Some(3)));

    let counts = input.statistics().counts();
    assert_eq!((counts.batches_received, counts.batches_failed), (4, 0));
}

#[tokio::test]
async fn json_accepts_numbers_in_place_of_texts_and_ignores_unknown_fields() {
    let sink = Arc::new(Kept::default());
    let (address, _) = otlp_http(&sink, OtlpOptions::default()).await;
    let span = json!({
        "traceId": "0102030405060708090a0b0c0d0e0f10",
        "spanId": "0102030405060708",
        "name": "lenient",
        "kind": 3,
        "startTimeUnixNano": 1_544_712_660_000_000_000_u64,
        "endTimeUnixNano": "1544712661000000000",
        "notYetInvented": {"a": [1]},
        "attributes": [
            {"key": "int", "value": {"intValue": 7}},
            {"key": "text", "value": {"intValue": "9223372036854775807"}},
            {"key": "none"},
        ],
    });
    let body = json!({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]});
    let url = format!("http://{address}/v1/traces");
    let answer = post(&url, "application/json; charset=utf-8", body.to_string()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let envelopes = sink.envelopes();
    let span = named(&envelopes, "lenient");
    assert_eq!(property(span, "int"), Some("7"));
    assert_eq!(property(span, "text"), Some("9223372036854775807"));
    assert_eq!(property(span, "none"), Some(""));
    assert_eq!(tag(span, tags::CLOUD_ROLE), Some("unknown_service"));
}

#[tokio::test]
async fn a_compressed_message_is_taken_and_an_empty_one_is_a_success() {
    let sink = Arc::new(Kept::default());
    let (address, _) = otlp_http(&sink, OtlpOptions::default()).await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let body = message(vec![span(1, "small")]).encode_to_vec();
    encoder.write_all(&body).unwrap();
    let url = format!("http://{address}/v1/traces");
    let answer = reqwest::Client::new()
        .post(&url)
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "gzip")
        .body(encoder.finish().unwrap())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
    named(&sink.envelopes(), "small");
    let answer = post(&url, "application/x-protobuf", "").await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(sink.deliveries().len(), 1);
}

#[tokio::test]
async fn spans_without_ids_are_rejected_and_the_others_kept() {
    let sink = Kept::scripted([Ok(Acceptance::partial(1, "one is unreadable"))]);
    let (address, input) = otlp_http(&sink, OtlpOptions::default()).await;
    let without_id = Span {
        span_id: vec![0; 8],
        ..span(1, "lost")
    };
    let short = Span {
        trace_id: vec![1; 8],
        ..span(2, "lost")
    };
    let body = message(vec![
        without_id,
        span(3, "kept"),
        short,
        span(4, "kept, too"),
    ]);
    let url = format!("http://{address}/v1/traces");
    let answer = post(&url, "application/x-protobuf", body.encode_to_vec()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let answer = ExportTraceServiceResponse::decode(answer.bytes().await.unwrap()).unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 3);
    assert_eq!(
        partial.error_message,
        "a span has no valid trace id or span id; one is unreadable"
    );
    assert_eq!(sink.items().len(), 2);
    let counts = input.statistics().counts();
    assert_eq!((counts.items_received, counts.items_rejected), (1, 3));
}

#[tokio::test]
async fn errors_are_answered_as_the_specification_says() {
    let sink = Arc::new(Kept::default());
    let limits = Limits::default().with_message_bytes(1_000);
    let (address, input) = otlp_http(&sink, OtlpOptions::default().limits(limits)).await;
    let url = format!("http://{address}/v1/traces");
    for (content_type, body, status) in [
        ("application/json", "{".to_owned(), 400),
        (
            "application/json",
            r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"kind":"SERVER"}]}]}]}"#.to_owned(),
            400,
        ),
        ("application/x-protobuf", "no protobuf".to_owned(), 400),
        ("text/plain", "{}".to_owned(), 415),
        ("application/json", " ".repeat(1_001), 413),
        ("application/json", "[".repeat(900), 400),
    ] {
        let answer = post(&url, content_type, body.clone()).await;
        assert_eq!(answer.status().as_u16(), status, "{body}");
        if content_type == "application/json" {
            let error: Value = answer.json().await.unwrap();
            assert_eq!(error["code"], 3, "{error}");
            assert!(
                error["message"]
                    .as_str()
                    .is_some_and(|text| !text.is_empty())
            );
        }
    }
    let answer = reqwest::get(&url).await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(input.statistics().counts().batches_failed, 6);
    assert_eq!(input.budget().taken(), 0);
    let body = message(vec![span(1, "after errors")]);
    let answer = post(&url, "application/x-protobuf", body.encode_to_vec()).await;
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_client_beyond_the_budget_receives_the_time_to_retry() {
    let busy = Refusal::Busy {
        retry_after: Duration::from_millis(2_100),
    };
    let unavailable = Refusal::Unavailable {
        retry_after: Duration::ZERO,
    };
    let sink = Kept::scripted([Err(busy), Err(unavailable)]);
    let (address, input) = otlp_http(&sink, OtlpOptions::default()).await;
    let url = format!("http://{address}/v1/traces");
    let body = message(vec![span(1, "patient")]).encode_to_vec();
    for (status, retry_after) in [(429, "3"), (503, "1")] {
        let answer = post(&url, "application/x-protobuf", body.clone()).await;
        assert_eq!(answer.status().as_u16(), status);
        assert_eq!(answer.headers()["retry-after"], retry_after);
    }
    let answer = post(&url, "application/x-protobuf", body).await;
    assert_eq!(answer.status(), StatusCode::OK);
    named(&sink.envelopes(), "patient");
    let counts = input.statistics().counts();
    assert_eq!((counts.batches_received, counts.batches_failed), (1, 2));
}

#[tokio::test]
async fn a_message_of_very_many_items_is_shortened() {
    use opentelemetry_proto::tonic::collector::logs::v1 as logs;
    use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};

    let sink = Arc::new(Kept::default());
    let (address, input) = otlp_http(&sink, OtlpOptions::default()).await;
    let scope_logs = vec![ScopeLogs {
        log_records: vec![LogRecord::default(); 64_100],
        ..ScopeLogs::default()
    }];
    let message = logs::ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            scope_logs,
            ..ResourceLogs::default()
        }],
    };
    let url = format!("http://{address}/v1/logs");
    let answer = post(&url, "application/x-protobuf", message.encode_to_vec()).await;
    let answer = logs::ExportLogsServiceResponse::decode(answer.bytes().await.unwrap()).unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_log_records, 100);
    assert_eq!(sink.items().len(), 64_000);
    assert_eq!(input.budget().taken(), 0);
}
