//! Measures a recorded input with the SDK's instruments, and maps it to envelopes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use azmon::mapping::{Mapper, MappingOptions};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider, Temporality};
use serde_json::Value;

use crate::replay::input::written;
use crate::replay::metrics::input::Point;
use crate::replay::span;
use crate::spans::HOST;

/// Measures and maps an input like azmon, including limits and JSON, in the order of its points.
#[must_use]
pub fn map(input: &Value) -> Vec<Value> {
    let options = MappingOptions::default().host_name(HOST);
    let resource = span::resource(input);
    let key = "00000000-0000-0000-0000-000000000000";
    let mapping = Mapping {
        mapper: Arc::new(Mapper::new(key, &resource, options)),
        envelopes: Arc::default(),
    };
    let provider = SdkMeterProvider::builder()
        .with_reader(PeriodicReader::builder(mapping.clone()).build())
        .with_resource(resource)
        .build();
    let begin = SystemTime::now();
    record(&provider.meter_with_scope(scope(input)), input);
    // A failure shows as a missing envelope.
    let _ = provider.force_flush();
    let mut envelopes = mapping.take();
    for envelope in &mut envelopes {
        if is_between(&envelope["time"], begin, SystemTime::now()) {
            envelope["time"] = Value::from("<export time>");
        }
    }
    envelopes.sort_by_key(|envelope| place(envelope, input));
    envelopes
}

fn scope(input: &Value) -> opentelemetry::InstrumentationScope {
    let name = input["scope"].as_str().unwrap_or_default().to_owned();
    opentelemetry::InstrumentationScope::builder(name).build()
}

fn record(meter: &Meter, input: &Value) {
    let name = input["name"].as_str().unwrap_or_default().to_owned();
    let is_monotonic = input["monotonic"] == true;
    for point in Point::all(input) {
        let attributes = span::attributes(&point.0["attributes"]);
        match input["type"].as_str() {
            Some("histogram") => histogram(meter, name.clone(), point, &attributes),
            Some("gauge") => gauge(meter, name.clone(), point.0, &attributes),
            Some("sum") if is_monotonic => counter(meter, name.clone(), point.0, &attributes),
            Some("sum") => up_down_counter(meter, name.clone(), point.0, &attributes),
            _ => {}
        }
    }
}

fn histogram(meter: &Meter, name: String, point: Point<'_>, attributes: &[KeyValue]) {
    let bounds = point.0["bounds"].as_array().into_iter().flatten();
    let bounds = bounds.filter_map(Value::as_f64).collect();
    let histogram = meter.f64_histogram(name).with_boundaries(bounds).build();
    for value in point.values() {
        histogram.record(value, attributes);
    }
}

fn gauge(meter: &Meter, name: String, point: &Value, attributes: &[KeyValue]) {
    match (point["value"].as_i64(), point["value"].as_f64()) {
        (Some(value), _) => meter.i64_gauge(name).build().record(value, attributes),
        (None, Some(value)) => meter.f64_gauge(name).build().record(value, attributes),
        (None, None) => {}
    }
}

fn counter(meter: &Meter, name: String, point: &Value, attributes: &[KeyValue]) {
    match (point["value"].as_u64(), point["value"].as_f64()) {
        (Some(value), _) => meter.u64_counter(name).build().add(value, attributes),
        (None, Some(value)) => meter.f64_counter(name).build().add(value, attributes),
        (None, None) => {}
    }
}

fn up_down_counter(meter: &Meter, name: String, point: &Value, attributes: &[KeyValue]) {
    match (point["value"].as_i64(), point["value"].as_f64()) {
        (Some(value), _) => meter
            .i64_up_down_counter(name)
            .build()
            .add(value, attributes),
        (None, Some(value)) => meter
            .f64_up_down_counter(name)
            .build()
            .add(value, attributes),
        (None, None) => {}
    }
}

fn is_between(time: &Value, begin: SystemTime, end: SystemTime) -> bool {
    // Times in envelopes are truncated to microseconds.
    let begin = begin - Duration::from_micros(1);
    let time = time.as_str().and_then(|time| time.parse().ok());
    let time = time.map(|time: jiff::Timestamp| SystemTime::from(time));
    time.is_some_and(|time| (begin..=end).contains(&time))
}

/// The index of the point with the envelope's properties: the SDK collects in no particular order.
fn place(envelope: &Value, input: &Value) -> Option<usize> {
    let properties = &envelope["data"]["baseData"]["properties"];
    Point::all(input).position(|Point(point)| {
        let attributes = point["attributes"].as_object().into_iter().flatten();
        let mut attributes = attributes.filter(|(_, value)| !value.is_null());
        attributes.all(|(key, value)| properties[key] == written(value))
    })
}

/// Maps the collected metrics when they are exported.
#[derive(Debug, Clone)]
struct Mapping {
    mapper: Arc<Mapper>,
    envelopes: Arc<Mutex<Vec<Value>>>,
}

impl Mapping {
    fn take(&self) -> Vec<Value> {
        let mut envelopes = self
            .envelopes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut envelopes)
    }
}

impl PushMetricExporter for Mapping {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let mut envelopes = self
            .envelopes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.mapper.map_metrics(metrics, |mut envelope| {
            envelope.apply_limits();
            envelopes.push(serde_json::to_value(&envelope).unwrap_or_default());
        });
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}
