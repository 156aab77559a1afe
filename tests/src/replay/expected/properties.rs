//! Custom dimensions and measurements.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::replay::expected::Answer;
use crate::replay::input::{Attributes, Input, written};
use crate::replay::item::Item;

const CUSTOM_MEASUREMENTS: &str = "microsoft.custom_measurements";

/// Adds all attributes except the used ones, the links, and the reason for the span's failure.
pub(super) fn add_of_span(item: &mut Item, input: &Input, used: &BTreeSet<&str>) {
    add(item, &input.attributes, used);
    let links = input.links.iter().take(100);
    let links: Vec<_> = links
        .map(|link| {
            format!(
                r#"{{"operation_Id":"{}","id":"{}"}}"#,
                link.trace_id, link.span_id
            )
        })
        .collect();
    if !links.is_empty() {
        let json = format!("[{}]", links.join(","));
        item.insert("properties._MS.links".to_owned(), Value::from(json));
    }
    if input.status == "ERROR" && !input.message.is_empty() {
        let message = Value::from(input.message.as_str());
        item.insert("properties.otel.status_description".to_owned(), message);
    }
}

/// Adds all attributes except the used ones.
pub(super) fn add(item: &mut Item, attributes: &Attributes, used: &BTreeSet<&str>) {
    for (key, value) in attributes
        .iter()
        .filter(|(key, _)| !used.contains(key) && !key.is_empty())
    {
        item.insert(format!("properties.{key}"), Value::from(written(value)));
    }
}

/// Adds the numbers of the attribute that is a JSON object.
pub(super) fn add_measurements(item: &mut Item, attributes: &Attributes) {
    for (key, value) in custom_measurements(attributes).into_iter().flatten() {
        if let Some(number) = value.as_f64().filter(|_| !key.is_empty()) {
            item.insert(format!("measurements.{key}"), Value::from(number));
        }
    }
}

/// The attribute, if it is a JSON object.
pub(super) fn measurements_source(attributes: &Attributes) -> Answer {
    match custom_measurements(attributes) {
        Some(_) => Answer::none().and_from(&[CUSTOM_MEASUREMENTS]),
        None => Answer::none(),
    }
}

/// The average time in milliseconds from enqueuing the messages to the start, over the messages that contain it.
pub(super) fn time_since_enqueued(input: &Input) -> Option<f64> {
    let start = input.start as f64 / 1e6;
    let times = input
        .links
        .iter()
        .filter_map(|link| link.attributes.number("enqueuedTime"));
    let waited: Vec<_> = times
        .filter(|time| *time > 0.0 && time.is_finite())
        .map(|time| start - time)
        .collect();
    let is_known = input.kind == "CONSUMER" && !waited.is_empty();
    is_known.then(|| (waited.iter().sum::<f64>() / waited.len() as f64).max(0.0))
}

fn custom_measurements(attributes: &Attributes) -> Option<serde_json::Map<String, Value>> {
    let json = attributes.value(CUSTOM_MEASUREMENTS)?.as_str()?;
    serde_json::from_str(json).ok()
}
