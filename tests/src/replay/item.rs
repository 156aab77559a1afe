//! One envelope as flat fields that can be compared.
//!
//! | Field | Content |
//! |---|---|
//! | `kind` | the envelope's name without its prefix |
//! | `time`, `sampleRate` | of the envelope; 100 percent where there is no rate |
//! | `tags.<tag>` | a context tag |
//! | `data.<field>` | a field of the payload |
//! | `exception.<field>` | a field of the first exception |
//! | `metric.<field>` | a field of the first metric |
//! | `properties.<key>`, `measurements.<key>` | a custom dimension, a custom measurement |
//!
//! Omitted, since they do not describe the span or are specific to the exporter: versions, the instrumentation
//! key, tags of the device and of the SDK, and empty optional texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The fields of an item, by name.
pub type Item = BTreeMap<String, Value>;

/// The fields of an envelope.
#[must_use]
pub fn of(envelope: &Value) -> Item {
    let mut item = Item::new();
    let name = envelope["name"].as_str().unwrap_or_default();
    let kind = name.rsplit('.').next().unwrap_or_default();
    item.insert("kind".to_owned(), Value::from(kind));
    item.insert("time".to_owned(), envelope["time"].clone());
    let rate = envelope["sampleRate"]
        .as_f64()
        .or_else(|| envelope["sampleRate"].as_str()?.parse().ok());
    item.insert("sampleRate".to_owned(), Value::from(rate.unwrap_or(100.0)));
    for (tag, value) in fields(&envelope["tags"]) {
        if !tag.starts_with("ai.device.") && !tag.starts_with("ai.internal.") {
            item.insert(format!("tags.{tag}"), value.clone());
        }
    }
    for (field, value) in fields(&envelope["data"]["baseData"]) {
        match field.as_str() {
            "ver" => {}
            "properties" | "measurements" => add(&mut item, field, value),
            "exceptions" => add(&mut item, "exception", &value[0]),
            "metrics" => add(&mut item, "metric", &value[0]),
            _ => {
                item.insert(format!("data.{field}"), value.clone());
            }
        }
    }
    item.retain(|field, value| field.starts_with("properties.") || !is_nothing(value));
    item
}

fn add(item: &mut Item, prefix: &str, values: &Value) {
    for (key, value) in fields(values) {
        item.insert(format!("{prefix}.{key}"), value.clone());
    }
}

fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let fields: Option<&Map<_, _>> = value.as_object();
    fields.into_iter().flatten()
}

fn is_nothing(value: &Value) -> bool {
    value.is_null() || value == ""
}
