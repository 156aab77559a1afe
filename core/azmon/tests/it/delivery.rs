//! Delivery: received items and their requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use azmon::envelope::{Data, tags};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span, SpanKind, Tracer, TracerProvider};
use opentelemetry_sdk::trace::Sampler;

use crate::endpoint::{Endpoint, Script};
use crate::support::{builder, dropped, span, telemetry};

#[test]
fn a_span_arrives_as_gzipped_lines_of_json_without_a_user_agent() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "work");
    telemetry.force_flush().unwrap();

    let [request] = &endpoint.received()[..] else {
        panic!("one request")
    };
    assert_eq!(
        (request.method.as_str(), request.uri.path()),
        ("POST", "/v2.1/track")
    );
    assert_eq!(request.headers["content-encoding"], "gzip");
    assert_eq!(request.headers["content-type"], "application/x-json-stream");
    assert!(!request.headers.contains_key("user-agent"));
    assert!(!request.headers.contains_key("traceparent"));

    let [envelope] = &request.envelopes[..] else {
        panic!("one envelope")
    };
    assert_eq!(envelope.i_key, "8f2e0d9c-0000-4000-8000-000000000001");
    assert_eq!(envelope.tags.get(tags::CLOUD_ROLE).unwrap(), "it");
    let Data::RemoteDependency(data) = &envelope.data else {
        panic!("{envelope:?}")
    };
    assert_eq!(data.name, "work");
    assert_eq!(data.dependency_type.as_deref(), Some("InProc"));
}

#[test]
fn spans_are_sent_together_after_their_delay_without_a_flush() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .max_export_delay(Duration::from_millis(50))
        .build()
        .unwrap();
    for name in ["a", "b", "c"] {
        span(&telemetry, name);
    }
    endpoint.wait_for(1);
    assert_eq!(endpoint.received()[0].names(), ["a", "b", "c"]);
}

#[test]
fn dropping_the_guard_sends_waiting_items() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "last words");
    drop(telemetry);
    assert_eq!(endpoint.received()[0].names(), ["last words"]);
}

#[test]
fn spans_that_are_not_sampled_are_not_sent() {
    let endpoint = Endpoint::start([]);
    let telemetry = builder(endpoint.connection_string())
        .sampler(Sampler::AlwaysOff)
        .build()
        .unwrap();
    span(&telemetry, "unseen");
    telemetry.force_flush().unwrap();
    assert!(endpoint.received().is_empty());
    assert!(telemetry.dropped_items().is_empty());
}

#[test]
fn a_distant_endpoint_gets_several_uploads_at_a_time() {
    const UPLOADS: usize = 4;
    const SPANS: usize = UPLOADS * 4_096;
    let held = std::iter::repeat_n(Script::Hold, UPLOADS);
    let endpoint = Endpoint::start(held.chain(std::iter::repeat_n(Script::Accept, 100)));
    let telemetry = telemetry(endpoint.connection_string());
    for number in 0..SPANS {
        span(&telemetry, number.to_string());
    }
    let flushed = std::thread::scope(|scope| {
        let flushed = scope.spawn(|| telemetry.force_flush());
        endpoint.wait_for(UPLOADS);
        endpoint.release();
        flushed.join().unwrap()
    });
    flushed.unwrap();
    let mut names: Vec<usize> = endpoint
        .received()
        .iter()
        .flat_map(|received| received.names())
        .map(|name| name.parse().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, (0..SPANS).collect::<Vec<_>>());
}

#[test]
fn children_carry_the_name_of_their_request() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    let tracer = telemetry.tracer_provider().tracer("it");
    let request = tracer
        .span_builder("GET /orders/{id}")
        .with_kind(SpanKind::Server)
        .start(&tracer);
    let context = opentelemetry::Context::new();
    let context = opentelemetry::trace::TraceContextExt::with_span(&context, request);
    tracer
        .build_with_context(tracer.span_builder("child"), &context)
        .end();
    drop(context);
    telemetry.force_flush().unwrap();
    for envelope in &endpoint.received()[0].envelopes {
        assert_eq!(
            envelope.tags.get(tags::OPERATION_NAME).unwrap(),
            "GET /orders/{id}"
        );
    }
}

#[test]
fn a_child_takes_the_name_that_its_context_carries() {
    let envelopes = azmon::testing::captured(|provider| {
        let name = azmon::instrument::OperationName("GET /late".into());
        let context = opentelemetry::Context::new().with_value(name);
        let tracer = provider.tracer("it");
        tracer
            .build_with_context(tracer.span_builder("child"), &context)
            .end();
    });
    assert_eq!(
        envelopes[0].tags.get(tags::OPERATION_NAME).unwrap(),
        "GET /late"
    );
    let Data::RemoteDependency(data) = &envelopes[0].data else {
        panic!()
    };
    assert!(data.properties.is_empty(), "{:?}", data.properties);
}

#[test]
fn a_monstrous_span_arrives_trimmed_and_is_counted() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    let mut monster = telemetry
        .tracer_provider()
        .tracer("it")
        .start("n".repeat(100_000));
    for number in 0..128 {
        monster.set_attribute(KeyValue::new(
            format!("key {number}"),
            "世\u{1}".repeat(10_000),
        ));
    }
    monster.end();
    span(&telemetry, "small");
    telemetry.force_flush().unwrap();
    let envelopes = &endpoint.received()[0].envelopes;
    assert_eq!(envelopes.len(), 2);
    assert!(serde_json::to_vec(&envelopes[0]).unwrap().len() <= 64 * 1_024);
    assert!(envelopes[0].data.properties().get("key 0").is_some());
    assert_eq!(telemetry.trimmed_items(), 1);
    assert_eq!(dropped(&telemetry), []);
}

#[test]
fn a_shutdown_ends_telemetry_once() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "before");
    telemetry.shutdown(Duration::from_secs(5)).unwrap();
    span(&telemetry, "after");
    assert!(
        telemetry
            .shutdown(Duration::ZERO)
            .unwrap_err()
            .is_already_shut_down()
    );
    assert!(telemetry.force_flush().unwrap_err().is_already_shut_down());
    assert_eq!(endpoint.received().len(), 1);
}

#[test]
fn one_signal_ends_and_the_others_go_on() {
    use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};

    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let telemetry = telemetry(endpoint.connection_string());
    span(&telemetry, "span");
    telemetry.tracer_provider().shutdown().unwrap();
    span(&telemetry, "late span");
    let logger = telemetry.logger_provider().logger("it");
    let mut record = logger.create_log_record();
    record.set_body("log".into());
    logger.emit(record);
    let report = telemetry.shutdown(Duration::from_secs(5)).unwrap();
    assert_eq!((report.traces.sent, report.logs.sent), (1, 1));
    let received = endpoint.received();
    let names: Vec<_> = received
        .iter()
        .flat_map(|received| received.names())
        .collect();
    assert_eq!(names, ["span", "log"]);
}

#[test]
fn a_second_log_processor_is_flushed_too() {
    #[derive(Debug, Clone, Default)]
    struct Flushed(Arc<AtomicBool>);

    impl opentelemetry_sdk::logs::LogProcessor for Flushed {
        fn emit(
            &self,
            _: &mut opentelemetry_sdk::logs::SdkLogRecord,
            _: &opentelemetry::InstrumentationScope,
        ) {
        }

        fn force_flush(&self) -> opentelemetry_sdk::error::OTelSdkResult {
            self.0.store(true, Ordering::Relaxed);
            Ok(())
        }

        fn shutdown_with_timeout(&self, _: Duration) -> opentelemetry_sdk::error::OTelSdkResult {
            Ok(())
        }
    }

    let endpoint = Endpoint::start(vec![Script::Accept; 10]);
    let flushed = Flushed::default();
    let telemetry = builder(endpoint.connection_string())
        .log_processor(flushed.clone())
        .build()
        .unwrap();
    telemetry.force_flush().unwrap();
    assert!(flushed.0.load(Ordering::Relaxed));
}
