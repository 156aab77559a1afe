//! Metrics: those of instruments, and built-in ones.

use std::sync::mpsc::sync_channel;
use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, Envelope, MetricPoint, tags};
use azmon::testing::InMemoryDestination;
use azmon::{DropReason, MetricExporter, TelemetryType};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, SpanKind, Tracer, TracerProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};

use crate::endpoint::{Endpoint, Reserved, Script, connection_string};
use crate::support::{NEVER, builder, dropped, span, telemetry};

const TIMEOUT: Duration = Duration::from_secs(10);

fn count(meters: &SdkMeterProvider, name: &'static str) {
    meters.meter("it").u64_counter(name).build().add(1, &[]);
}

pub(crate) fn metrics<'a>(
    envelopes: &'a [Envelope<'static>],
    name: &str,
) -> Vec<(&'a Envelope<'static>, &'a MetricPoint<'static>)> {
    let points = envelopes
        .iter()
        .filter_map(|envelope| match &envelope.data {
            Data::Metric(data) => Some((envelope, &data.metrics[0])),
            _ => None,
        });
    points.filter(|(_, point)| point.name == name).collect()
}

fn property<'a>(envelope: &'a Envelope<'_>, key: &str) -> &'a str {
    envelope
        .data
        .properties()
        .get(key)
        .map_or("", |value| value)
}

#[test]
fn a_flush_collects_recorded_values_and_delivers_them() {
    let endpoint = Endpoint::start([Script::Accept, Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    let counter = telemetry
        .meter_provider()
        .meter("it")
        .u64_counter("orders")
        .build();
    for added in [3, 4] {
        counter.add(added, &[]);
        span(&telemetry, "work");
        telemetry.force_flush().unwrap();
    }
    let received = endpoint.received();
    for (request, added) in received.iter().zip([3.0, 4.0]) {
        let (envelope, point) = metrics(&request.envelopes, "orders")[0];
        assert_eq!(point.value, added);
        assert_eq!(envelope.tags.get(tags::CLOUD_ROLE).unwrap(), "it");
        assert_eq!(request.envelopes.len(), 2);
    }
}

#[test]
fn a_shutdown_delivers_the_last_metrics() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    count(telemetry.meter_provider(), "last");
    telemetry.shutdown(TIMEOUT).unwrap();
    assert_eq!(endpoint.received()[0].names(), ["last"]);
    assert!(dropped(&telemetry).is_empty());
}

#[test]
fn metrics_are_sent_at_their_interval_without_a_flush() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .max_export_delay(Duration::ZERO)
        .metric_interval(Duration::from_millis(50))
        .build()
        .unwrap();
    count(telemetry.meter_provider(), "orders");
    endpoint.wait_for(1);
    assert_eq!(endpoint.received()[0].names(), ["orders"]);
}

#[test]
fn an_instrument_that_blocks_holds_neither_a_flush_nor_the_end() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    let (_held, wait) = sync_channel::<()>(0);
    let wait = std::sync::Mutex::new(wait);
    telemetry
        .meter_provider()
        .meter("it")
        .u64_observable_gauge("blocks")
        .with_callback(move |_| assert!(wait.lock().unwrap().recv().is_err()))
        .build();
    span(&telemetry, "work");
    telemetry.shutdown(Duration::from_secs(4)).unwrap();
    assert_eq!(endpoint.received()[0].names(), ["work"]);
}

#[test]
fn the_plain_exporter_waits_for_the_delivery_and_takes_the_readers_resource() {
    let endpoint = Endpoint::start([Script::Accept]);
    let exporter = MetricExporter::builder()
        .connection_string(endpoint.connection_string())
        .environment(|_| None)
        .build()
        .unwrap();
    let provider = SdkMeterProvider::builder()
        .with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(NEVER)
                .build(),
        )
        .with_resource(Resource::builder_empty().with_service_name("plain").build())
        .build();
    count(&provider, "orders");
    provider.force_flush().unwrap();
    let received = endpoint.received();
    assert_eq!(received[0].names(), ["orders"]);
    let role = received[0].envelopes[0].tags.get(tags::CLOUD_ROLE);
    assert_eq!(role.unwrap(), "plain");
}

#[test]
fn measurements_of_the_sdk_about_itself_are_not_sent() {
    // The names are those of the SDK. Features of other crates decide whether it records them.
    let about_itself = "otel.sdk.processor.span.queue.size";
    let endpoint = Endpoint::start([Script::Accept, Script::Accept]);
    let telemetry = telemetry(endpoint.connection_string());
    let exporter = MetricExporter::builder()
        .connection_string(endpoint.connection_string())
        .environment(|_| None)
        .build()
        .unwrap();
    let plain = SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(exporter).build())
        .build();
    for meters in [telemetry.meter_provider(), &plain] {
        count(meters, about_itself);
        count(meters, "orders");
    }
    telemetry.force_flush().unwrap();
    plain.force_flush().unwrap();
    let received = endpoint.received();
    let names: Vec<_> = received
        .iter()
        .flat_map(|received| received.names())
        .collect();
    assert_eq!(names, ["orders", "orders"]);
}

#[test]
fn the_plain_exporter_can_send_to_memory() {
    let destination = InMemoryDestination::new();
    let exporter = MetricExporter::builder()
        .destination(&destination)
        .build()
        .unwrap();
    let provider = SdkMeterProvider::builder()
        .with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(NEVER)
                .build(),
        )
        .build();
    count(&provider, "orders");
    provider.force_flush().unwrap();
    assert_eq!(metrics(&destination.envelopes(), "orders").len(), 1);
}

#[test]
fn the_plain_exporter_says_that_metrics_are_held_and_delivers_them_later() {
    let reserved = Reserved::new();
    let exporter = MetricExporter::builder()
        .connection_string(connection_string(reserved.address()))
        .environment(|_| None)
        .build()
        .unwrap();
    let provider = SdkMeterProvider::builder()
        .with_reader(
            PeriodicReader::builder(exporter)
                .with_interval(NEVER)
                .build(),
        )
        .build();
    count(&provider, "held");
    assert!(provider.force_flush().is_err());
    let endpoint = reserved.start([Script::Accept, Script::Accept]);
    provider.shutdown().unwrap();
    assert_eq!(endpoint.received()[0].names(), ["held"]);
}

#[test]
fn metrics_that_find_no_room_are_counted() {
    let endpoint = Endpoint::start([]);
    let telemetry = builder(endpoint.connection_string())
        .max_queue_items(0)
        .build()
        .unwrap();
    count(telemetry.meter_provider(), "orders");
    let _ = telemetry.force_flush();
    let dropped = telemetry.dropped_items();
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].reason, DropReason::QueueFull);
    assert_eq!(dropped[0].telemetry_type, TelemetryType::CustomMetric);
}

#[test]
fn requests_are_counted_and_marked_and_the_switch_does_neither() {
    for enabled in [true, false] {
        let endpoint = Endpoint::start([Script::Accept]);
        let telemetry = builder(endpoint.connection_string())
            .standard_metrics(enabled)
            .build()
            .unwrap();
        let tracer = telemetry.tracer_provider().tracer("it");
        for kind in [SpanKind::Server, SpanKind::Client] {
            tracer
                .span_builder("work")
                .with_kind(kind)
                .start(&tracer)
                .end();
        }
        telemetry.force_flush().unwrap();
        let envelopes = &endpoint.received()[0].envelopes;
        let marks: Vec<_> = envelopes
            .iter()
            .filter(|envelope| !matches!(envelope.data, Data::Metric(_)))
            .map(|envelope| property(envelope, "_MS.ProcessedByMetricExtractors"))
            .collect();
        if enabled {
            assert_eq!(
                marks,
                [
                    "(Name:'Requests', Ver:'1.1')",
                    "(Name:'Dependencies', Ver:'1.1')"
                ]
            );
            assert_eq!(metrics(envelopes, "requests/duration").len(), 1);
            assert_eq!(metrics(envelopes, "dependencies/duration").len(), 1);
        } else {
            assert_eq!((marks, envelopes.len()), (vec!["", ""], 2));
        }
    }
}

#[test]
fn requests_that_find_no_room_are_counted_all_the_same() {
    let endpoint = Endpoint::start([Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .standard_metrics(true)
        .max_queue_items(0)
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("it");
    for _ in 0..3 {
        let request = tracer.span_builder("work").with_kind(SpanKind::Server);
        request.start(&tracer).end();
    }
    telemetry.force_flush().unwrap();
    let envelopes = &endpoint.received()[0].envelopes;
    let [(_, requests)] = metrics(envelopes, "requests/duration")[..] else {
        panic!("{envelopes:?}")
    };
    assert_eq!((envelopes.len(), requests.count), (1, Some(3)));
    assert_eq!(telemetry.dropped_items()[0].count, 3);
}

#[test]
fn performance_counters_come_at_their_interval() {
    let endpoint = Endpoint::start(vec![Script::Accept; 100]);
    let telemetry = builder(endpoint.connection_string())
        .performance_counters(true)
        .metric_interval(Duration::from_millis(50))
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("it");
    let request = tracer.span_builder("work").with_kind(SpanKind::Server);
    request.start(&tracer).end();

    let values = |requests: usize, name| -> Vec<f64> {
        endpoint.wait_for(requests);
        let received = endpoint.received();
        let points = received
            .iter()
            .flat_map(|request| metrics(&request.envelopes, name));
        points.map(|(_, point)| point.value).collect()
    };
    // The request may have ended in a later interval.
    let rate = r"\ASP.NET Applications(??APP_W3SVC_PROC??)\Requests/Sec";
    let is_counted = |requests| values(requests, rate).iter().any(|rate| *rate > 0.0);
    assert!((1..=100).any(is_counted));
    if cfg!(target_os = "linux") {
        assert!(values(1, r"\Process(??APP_WIN32_PROC??)\Private Bytes")[0] > 0.0);
        assert!(values(1, r"\Memory\Available Bytes")[0] > 0.0);
    }
}

#[test]
fn statistics_are_metrics_if_that_is_asked_for() {
    for enabled in [false, true] {
        let partial = Script::Partial(vec![(0, 400)]);
        let endpoint = Endpoint::start([partial, Script::Accept, Script::Accept]);
        let telemetry = builder(endpoint.connection_string())
            .statistics_metrics(enabled)
            .build()
            .unwrap();
        // Requests come first, so that this one is refused.
        let tracer = telemetry.tracer_provider().tracer("it");
        let request = tracer.span_builder("refused").with_kind(SpanKind::Server);
        request.start(&tracer).end();
        span(&telemetry, "taken");
        assert!(telemetry.force_flush().is_err());
        telemetry.force_flush().unwrap();
        let received = endpoint.received();
        if !enabled {
            assert_eq!(received.len(), 1);
            continue;
        }
        let envelopes = &received[1].envelopes;
        let values = |name: &str, dimensions: [&str; 2]| -> Vec<_> {
            let points = metrics(envelopes, name).into_iter();
            let value = |(envelope, point): (&_, &MetricPoint<'_>)| {
                let dimensions = dimensions.map(|key| property(envelope, key).to_owned());
                (dimensions.join(" "), point.value)
            };
            let mut values: Vec<_> = points.map(value).collect();
            values.sort_by(|one, other| one.0.cmp(&other.0));
            values
        };
        let value = |text: &str, value: f64| (text.to_owned(), value);
        let sent = values("azmon.items.sent", ["azmon.signal", "error.type"]);
        assert!(sent.contains(&value("traces ", 1.0)), "{sent:?}");
        assert_eq!(
            values("azmon.items.dropped", ["azmon.signal", "error.type"]),
            [value("traces rejected", 1.0)]
        );
        assert_eq!(
            values("azmon.circuit.state", ["azmon.circuit.state", ""]),
            [
                value("closed ", 1.0),
                value("open ", 0.0),
                value("probing ", 0.0),
                value("suspect ", 0.0)
            ]
        );
        for name in [
            "azmon.items.stored",
            "azmon.queue.items",
            "azmon.queue.memory",
            "azmon.batches.items",
            "azmon.batches.memory",
            "azmon.storage.batches",
            "azmon.storage.size",
        ] {
            let values = values(name, ["azmon.signal", ""]);
            assert!(!values.is_empty(), "{name}");
            assert!(values.iter().all(|(_, value)| *value == 0.0), "{values:?}");
        }
        let [(_, age)] = values("azmon.last_success.age", ["", ""])[..] else {
            panic!("{envelopes:?}")
        };
        assert!((0.0..60.0).contains(&age));
    }
}

#[test]
fn requests_that_are_not_sampled_are_in_the_rate_without_standard_metrics_too() {
    const REQUESTS: f64 = 500.0;
    let endpoint = Endpoint::start(vec![Script::Accept; 100]);
    let telemetry = builder(endpoint.connection_string())
        .standard_metrics(false)
        .performance_counters(true)
        .sampling_ratio(0.01)
        .metric_interval(Duration::from_millis(100))
        .build()
        .unwrap();
    let built = SystemTime::now();
    let tracer = telemetry.tracer_provider().tracer("it");
    for _ in 0..REQUESTS as usize {
        let request = tracer.span_builder("work").with_kind(SpanKind::Server);
        request.start(&tracer).end();
    }
    let counted = |requests| {
        endpoint.wait_for(requests);
        let received = endpoint.received();
        let mut since = built;
        let mut counted = 0.0;
        let rate = r"\ASP.NET Applications(??APP_W3SVC_PROC??)\Requests/Sec";
        for request in &received {
            for (envelope, point) in metrics(&request.envelopes, rate) {
                let interval = envelope.time.duration_since(since).unwrap_or_default();
                counted += point.value * interval.as_secs_f64();
                since = envelope.time;
            }
        }
        counted
    };
    // The rate and the time of the item come from different clocks.
    let is_right = |requests| (REQUESTS * 0.5..REQUESTS * 2.0).contains(&counted(requests));
    assert!((1..=50).any(is_right), "{} of {REQUESTS}", counted(50));
}

#[test]
fn statistics_count_each_item_of_a_partial_success_by_its_result() {
    let partial = Script::Partial(vec![(0, 400), (1, 503)]);
    let endpoint = Endpoint::start([partial, Script::Accept, Script::Accept]);
    let telemetry = builder(endpoint.connection_string())
        .sdk_statistics(true)
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("it");
    for kind in [SpanKind::Server, SpanKind::Client, SpanKind::Client] {
        tracer
            .span_builder("work")
            .with_kind(kind)
            .start(&tracer)
            .end();
    }
    assert!(telemetry.force_flush().is_err());
    telemetry.shutdown(TIMEOUT).unwrap();

    let received: Vec<_> = endpoint
        .received()
        .into_iter()
        .flat_map(|request| request.envelopes)
        .collect();
    let told = |name, dimensions: [&str; 3]| -> Vec<_> {
        let told = metrics(&received, name).into_iter();
        told.map(|(envelope, point)| {
            (
                point.value,
                dimensions.map(|key| property(envelope, key).to_owned()),
            )
        })
        .collect()
    };
    let line = |value, dimensions: [&str; 3]| (value, dimensions.map(str::to_owned));
    assert_eq!(
        told(
            "Item_Dropped_Count",
            ["telemetry_type", "drop.code", "telemetry_success"]
        ),
        [line(1.0, ["REQUEST", "400", "true"])]
    );
    assert_eq!(
        told(
            "Item_Retry_Count",
            ["telemetry_type", "retry.code", "retry.reason"]
        ),
        [line(1.0, ["DEPENDENCY", "503", "Service Unavailable"])]
    );
    let succeeded = told(
        "Item_Success_Count",
        ["telemetry_type", "language", "computeType"],
    );
    assert_eq!(succeeded, [line(1.0, ["DEPENDENCY", "rust", "unknown"])]);
    let dropped = telemetry.dropped_items();
    assert_eq!(dropped[0].telemetry_type, TelemetryType::Request);
    assert_eq!(
        (dropped[0].reason, dropped[0].count),
        (DropReason::Rejected, 1)
    );
}
