//! OTLP over gRPC: responses and limits.

use std::sync::Arc;
use std::time::Duration;

use azmon::envelope::tags;
use azmon_forwarder::inputs::{Budget, Limits, OtlpInput, OtlpOptions};
use azmon_forwarder::sink::Refusal;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tonic::Code;
use tonic::codec::CompressionEncoding;

use crate::support::{Kept, grpc_server, named, otlp_grpc, tag};

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
        ..Span::default()
    }
}

#[tokio::test]
async fn gzip_is_taken() {
    let sink = Arc::new(Kept::default());
    let (address, _) = otlp_grpc(&sink, OtlpOptions::default()).await;
    let client = TraceServiceClient::connect(format!("http://{address}")).await;
    let mut client = client.unwrap().send_compressed(CompressionEncoding::Gzip);
    let answer = client
        .export(message(vec![span(1, "small")]))
        .await
        .unwrap();
    assert_eq!(answer.into_inner().partial_success, None);
    named(&sink.envelopes(), "small");
}

#[tokio::test]
async fn refusals_have_the_codes_that_clients_repeat() {
    let retry_after = Duration::from_millis(10);
    let sink = Kept::scripted([
        Err(Refusal::Busy { retry_after }),
        Err(Refusal::Unavailable { retry_after }),
    ]);
    let (address, _) = otlp_grpc(&sink, OtlpOptions::default()).await;
    let client = TraceServiceClient::connect(format!("http://{address}")).await;
    let mut client = client.unwrap();
    for code in [Code::ResourceExhausted, Code::Unavailable] {
        let refused = client.export(message(vec![span(1, "patient")])).await;
        let status = refused.unwrap_err();
        assert_eq!(status.code(), code);
        let details = String::from_utf8_lossy(status.details()).into_owned();
        assert!(details.contains("google.rpc.RetryInfo"), "{details}");
    }
    let taken = client.export(message(vec![span(1, "patient")])).await;
    assert!(taken.is_ok());
}

#[tokio::test]
async fn messages_that_are_too_large_or_too_many_are_refused_and_the_connection_lives() {
    let sink = Arc::new(Kept::default());
    let limits = Limits::default().with_message_bytes(100_000);
    let input = OtlpInput::new(sink.clone(), OtlpOptions::default().limits(limits));
    let budget = Budget::new(50_000);
    let address = grpc_server(input.grpc_routes(), limits, budget.clone()).await;
    let client = TraceServiceClient::connect(format!("http://{address}")).await;
    let mut client = client.unwrap();
    let large = message(vec![span(1, &"x".repeat(200_000))]);
    let status = client.export(large).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange, "{status}");
    let beyond_budget = message(vec![span(1, &"x".repeat(80_000))]);
    let status = client.export(beyond_budget).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    client
        .export(message(vec![span(2, "small")]))
        .await
        .unwrap();
    named(&sink.envelopes(), "small");
    assert_eq!(budget.taken(), 0);
}

#[tokio::test]
async fn a_request_names_the_operation_of_later_messages_too() {
    let sink = Arc::new(Kept::default());
    let (address, _) = otlp_grpc(&sink, OtlpOptions::default()).await;
    let client = TraceServiceClient::connect(format!("http://{address}")).await;
    let mut client = client.unwrap();
    let request = Span {
        kind: SpanKind::Server as i32,
        ..span(1, "checkout")
    };
    let call = Span {
        kind: SpanKind::Client as i32,
        parent_span_id: vec![1; 8],
        trace_state: "ot=th:8".to_owned(),
        ..span(2, "SELECT")
    };
    client.export(message(vec![request])).await.unwrap();
    client.export(message(vec![call])).await.unwrap();
    let envelopes = sink.envelopes();
    let call = named(&envelopes, "SELECT");
    assert_eq!(tag(call, tags::OPERATION_NAME), Some("checkout"));
    assert_eq!(call.sample_rate, Some(50.0));
}

#[tokio::test]
async fn connections_are_counted_and_closed_ones_leave() {
    let sink = Arc::new(Kept::default());
    let input = OtlpInput::new(sink.clone(), OtlpOptions::default());
    let (listener, address) = crate::support::listener().await;
    let connections = listener.connections();
    let (routes, budget) = (input.grpc_routes(), input.budget().clone());
    tokio::spawn(async move {
        let limits = Limits::default();
        let serve = azmon_forwarder::inputs::serve_grpc(
            listener,
            routes,
            &limits,
            budget,
            std::future::pending(),
        );
        serve.await.unwrap();
    });
    let client = TraceServiceClient::connect(format!("http://{address}")).await;
    let mut client = client.unwrap();
    client.export(message(vec![span(1, "x")])).await.unwrap();
    assert_eq!(connections.open(), 1);
    drop(client);
    let gone = tokio::time::timeout(Duration::from_secs(10), async {
        while connections.open() > 0 {
            tokio::task::yield_now().await;
        }
    });
    gone.await.unwrap();
}
