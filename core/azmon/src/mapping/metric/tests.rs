use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::{
    Aggregation, InMemoryMetricExporterBuilder, Instrument, PeriodicReader, SdkMeterProvider,
    Stream, Temporality,
};

use crate::envelope::{Data, Envelope, MetricPoint, tags};
use crate::mapping::{Mapper, MappingOptions, Point, Summary};

/// The envelopes of the measurements that `record` makes. Histograms whose name starts with `e` are exponential.
fn mapped(options: MappingOptions, record: impl FnOnce(&Meter)) -> Vec<Envelope<'static>> {
    let memory = InMemoryMetricExporterBuilder::new()
        .with_temporality(Temporality::Delta)
        .build();
    let exponential = Aggregation::Base2ExponentialHistogram {
        max_size: 160,
        max_scale: 20,
        record_min_max: true,
    };
    let view = move |instrument: &Instrument| {
        let stream = Stream::builder().with_aggregation(exponential.clone());
        let is_exponential = instrument.name().starts_with('e');
        is_exponential.then(|| stream.build().unwrap())
    };
    let provider = SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(memory.clone()).build())
        .with_view(view)
        .build();
    record(&provider.meter("shop.meter"));
    provider.force_flush().unwrap();
    let mapper = Mapper::new("key", &Resource::builder_empty().build(), options);
    let mut envelopes = Vec::new();
    for metrics in memory.get_finished_metrics().unwrap() {
        mapper.map_metrics(&metrics, |envelope| envelopes.push(envelope));
    }
    envelopes
}

fn points(record: impl FnOnce(&Meter)) -> Vec<MetricPoint<'static>> {
    let envelopes = mapped(MappingOptions::default(), record);
    envelopes
        .into_iter()
        .map(|envelope| match envelope.data {
            Data::Metric(mut data) => data.metrics.remove(0),
            other => panic!("{other:?}"),
        })
        .collect()
}

fn values(record: impl FnOnce(&Meter)) -> Vec<(String, f64)> {
    let points = points(record).into_iter();
    let mut values: Vec<_> = points
        .map(|point| (point.name.into_owned(), point.value))
        .collect();
    values.sort_by(|(a, _), (b, _)| a.cmp(b));
    values
}

#[test]
fn every_instrument_becomes_a_metric() {
    let found = values(|meter| {
        meter.u64_counter("counter_u64").build().add(3, &[]);
        meter.f64_counter("counter_f64").build().add(7.25, &[]);
        meter.i64_up_down_counter("updown_i64").build().add(-3, &[]);
        meter
            .f64_up_down_counter("updown_f64")
            .build()
            .add(-0.5, &[]);
        meter.u64_gauge("gauge_u64").build().record(9, &[]);
        meter.i64_gauge("gauge_i64").build().record(-9, &[]);
        meter.f64_gauge("gauge_f64").build().record(0.25, &[]);
        meter.u64_histogram("histogram_u64").build().record(4, &[]);
        meter
            .f64_histogram("histogram_f64")
            .build()
            .record(4.5, &[]);
        meter.f64_histogram("exponential").build().record(5.5, &[]);
        let observe = |meter: &Meter| {
            meter
                .u64_observable_counter("observed_counter")
                .with_callback(|observer| observer.observe(1, &[]))
                .build();
            meter
                .i64_observable_up_down_counter("observed_updown")
                .with_callback(|observer| observer.observe(-2, &[]))
                .build();
            meter
                .f64_observable_gauge("observed_gauge")
                .with_callback(|observer| observer.observe(3.5, &[]))
                .build();
        };
        observe(meter);
    });
    let found: Vec<_> = found
        .iter()
        .map(|(name, value)| (name.as_str(), *value))
        .collect();
    assert_eq!(
        found,
        [
            ("counter_f64", 7.25),
            ("counter_u64", 3.0),
            ("exponential", 5.5),
            ("gauge_f64", 0.25),
            ("gauge_i64", -9.0),
            ("gauge_u64", 9.0),
            ("histogram_f64", 4.5),
            ("histogram_u64", 4.0),
            ("observed_counter", 1.0),
            ("observed_gauge", 3.5),
            ("observed_updown", -2.0),
            ("updown_f64", -0.5),
            ("updown_i64", -3.0),
        ]
    );
}

#[test]
fn both_kinds_of_histogram_tell_count_ends_and_deviation() {
    let recorded = [-4.0, -2.0, 0.0, 1.0, 2.0, 3.0, 60.0, 100.0];
    let found = points(|meter| {
        for name in ["explicit", "an_explicit"] {
            let histogram = meter.f64_histogram(name).build();
            recorded
                .iter()
                .for_each(|value| histogram.record(*value, &[]));
        }
    });
    let truth = 36.114;
    for point in found {
        assert_eq!(
            (point.value, point.count),
            (160.0, Some(8)),
            "{}",
            point.name
        );
        assert_eq!((point.min, point.max), (Some(-4.0), Some(100.0)));
        let deviation = point.std_dev.unwrap();
        // The exponential histogram has a name that starts with `e`.
        let tolerance = if point.name == "explicit" { 0.01 } else { 0.2 };
        assert!(
            (deviation / truth - 1.0).abs() < tolerance,
            "{}: {deviation}",
            point.name
        );
    }
}

#[test]
fn values_that_are_not_numbers_are_never_sent() {
    let found = points(|meter| {
        let gauge = meter.f64_gauge("gauge").build();
        gauge.record(f64::NAN, &[KeyValue::new("is", "nan")]);
        gauge.record(f64::INFINITY, &[KeyValue::new("is", "infinite")]);
        let counter = meter.f64_counter("counter").build();
        counter.add(f64::MAX, &[]);
        counter.add(f64::MAX, &[]);
        meter
            .f64_histogram("histogram")
            .build()
            .record(f64::NAN, &[]);
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn attributes_become_custom_dimensions_and_a_robot_a_tag() {
    let envelopes = mapped(MappingOptions::default(), |meter| {
        let attributes = [
            KeyValue::new("flag", true),
            KeyValue::new("user_agent.synthetic.type", "bot"),
        ];
        meter.u64_counter("orders").build().add(1, &attributes);
    });
    let envelope = &envelopes[0];
    assert_eq!(envelope.i_key, "key");
    assert_eq!(envelope.data.properties().get("flag").unwrap(), "true");
    assert_eq!(
        envelope.tags.get(tags::OPERATION_SYNTHETIC_SOURCE).unwrap(),
        "True"
    );
    assert!(envelope.tags.get(tags::CLOUD_ROLE).is_some());
}

#[test]
fn a_namespace_is_there_only_on_request() {
    let namespace = |options| {
        let envelopes = mapped(options, |meter| {
            meter.u64_counter("orders").build().add(1, &[])
        });
        match &envelopes[0].data {
            Data::Metric(data) => data.metrics[0].namespace.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(namespace(MappingOptions::default()), None);
    let options = MappingOptions::default().metric_namespaces(true);
    assert_eq!(namespace(options).unwrap(), "shop.meter");
    let options = MappingOptions::default().or_metric_namespaces(Some(true));
    assert_eq!(namespace(options).unwrap(), "shop.meter");
}

#[test]
fn a_point_that_was_received_makes_the_same_as_one_of_the_sdk() {
    let values = [1.0, 4.0, 40.0, 400.0];
    let of_sdk = points(|meter| {
        let histogram = meter.f64_histogram("h").with_boundaries(vec![10.0, 100.0]);
        let histogram = histogram.build();
        values
            .iter()
            .for_each(|value| histogram.record(*value, &[]));
    });
    let summary = Summary {
        count: 4,
        sum: 445.0,
        min: Some(1.0),
        max: Some(400.0),
    };
    let time = std::time::SystemTime::now();
    let point = Point::of_histogram(time, Vec::new(), summary, &[10.0, 100.0], &[2, 1, 1]);
    let resource = Resource::builder_empty().build();
    let mapper = Mapper::new("key", &resource, MappingOptions::default());
    let envelope = mapper.map_point("scope", "h", point).unwrap();
    let Data::Metric(data) = envelope.data else {
        panic!("{envelope:?}")
    };
    assert_eq!(data.metrics, of_sdk);
    let empty = Point::of_summary(
        time,
        Vec::new(),
        Summary {
            count: 0,
            ..summary
        },
    );
    assert_eq!(mapper.map_point("scope", "h", empty), None);
}
