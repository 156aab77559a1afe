//! Exceptions and messages.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::replay::expected::{Answer, context, properties};
use crate::replay::input::{Event, Input};
use crate::replay::item::Item;

/// The item of an event: tags and sample rate are the span's; the parent is the span.
pub(super) fn item(event: &Event, input: &Input, span: &Item) -> Item {
    let mut item: Item = span
        .iter()
        .filter(|(field, _)| field.starts_with("tags.") || *field == "sampleRate")
        .map(|(field, value)| (field.clone(), value.clone()))
        .collect();
    let mut set = |field: &str, value: Value| item.insert(field.to_owned(), value);
    set(
        "tags.ai.operation.parentId",
        Value::from(input.span_id.as_str()),
    );
    set("time", Value::from(context::time(event.time)));
    let mut used: BTreeSet<&str> = properties::measurements_source(&event.attributes)
        .from
        .into_iter()
        .collect();
    if event.is_exception() {
        set("kind", Value::from("Exception"));
        let first = |key| Answer::first(&event.attributes, &[key]);
        let or_unknown = |answer: &Answer| {
            answer
                .text
                .clone()
                .unwrap_or_else(|| "Exception".to_owned())
        };
        let kind = first("exception.type");
        let message = first("exception.message");
        let stack = first("exception.stacktrace");
        set("exception.typeName", Value::from(or_unknown(&kind)));
        set("exception.message", Value::from(or_unknown(&message)));
        set("exception.hasFullStack", Value::from(stack.text.is_some()));
        if let Some(stack) = &stack.text {
            set("exception.stack", Value::from(stack.as_str()));
        }
        used.extend([kind.from, message.from, stack.from].concat());
    } else {
        set("kind", Value::from("Message"));
        set("data.message", Value::from(event.name.as_str()));
    }
    properties::add_measurements(&mut item, &event.attributes);
    properties::add(&mut item, &event.attributes, &used);
    item
}
