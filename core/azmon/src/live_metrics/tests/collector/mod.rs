//! The collector: its fixtures.

mod counts;
mod filters;
mod samples;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::request;
use crate::envelope::Envelope;
use crate::live_metrics::{Collected, Collector, Configuration, MetricValue};

/// An item as it is on the wire.
fn item(base_type: &str, base_data: Value) -> Envelope<'static> {
    let time = "2026-01-01T00:00:00Z";
    let data = json!({"baseType": base_type, "baseData": base_data});
    let line = json!({"name": "x", "time": time, "iKey": "", "data": data}).to_string();
    let envelope: Envelope<'_> = serde_json::from_str(&line).unwrap();
    envelope.into_owned()
}

/// A stream of all items of a type.
fn stream(id: &str, of: &str) -> Value {
    json!({"Id": id, "DocumentFilterGroups": [{"TelemetryType": of, "Filters": {"Filters": []}}]})
}

fn configuration(info: &Value) -> Arc<Configuration> {
    let configuration = Configuration::read("e", info.to_string().as_bytes());
    assert_eq!(configuration.errors(), []);
    Arc::new(configuration)
}

fn collector(info: &Value) -> Collector {
    Collector::new(configuration(info), Duration::ZERO)
}

/// The items of one second.
fn take(collector: &mut Collector) -> Collected {
    collector.take(Duration::from_secs(1)).unwrap()
}

fn metric<'a>(collected: &'a Collected, name: &str) -> &'a MetricValue {
    let name = format!(r"\ApplicationInsights\{name}");
    let mut metrics = collected.metrics.iter();
    metrics.find(|metric| metric.name == name).unwrap()
}
