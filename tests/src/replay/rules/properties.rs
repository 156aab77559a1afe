//! Custom dimensions and measurements.

use serde_json::Value;

use crate::replay::rule::Rule;

/// Prefixes of keys that one official exporter drops whether or not it has used them, and of keys that both keep
/// although a field contains their values.
const CONVENTIONS: [&str; 23] = [
    "_MS.",
    "ai.",
    "client.",
    "code.",
    "db.",
    "enduser.",
    "error.type",
    "exception.",
    "http.",
    "message.",
    "message_bus.",
    "messaging.",
    "microsoft.",
    "net.",
    "network.",
    "otel.status_description",
    "peer.",
    "rpc.",
    "server.",
    "session.id",
    "thread.",
    "url.",
    "user_agent.",
];

pub(super) const RULES: &[Rule] = &[
    Rule {
        field: "properties._MS.links",
        when: |d| d.event.is_none() && d.input.links.len() > 100,
        reason: "at most 100 links, whole and in compact JSON: more would be cut in the middle",
    },
    Rule {
        field: "properties._MS.links",
        when: |d| d.event.is_none() && !d.input.links.is_empty(),
        reason: "the span's links replace an attribute of that name",
    },
    Rule {
        field: "properties.otel.status_description",
        when: |d| d.event.is_none() && d.input.status == "ERROR",
        reason: "why the span failed, under OpenTelemetry's name for formats that have no place for it",
    },
    Rule {
        field: "properties.*",
        when: |d| d.attributes().value(d.key()).is_some() && is_of_a_convention(d.key()),
        reason: "an attribute of a convention is kept exactly when no field holds what it says",
    },
    Rule {
        field: "properties.*",
        when: |d| d.attributes().value(d.key()).is_some_and(Value::is_array),
        reason: "an array is JSON, its whole numbers have all digits, and it is cut between characters",
    },
    Rule {
        field: "measurements.timeSinceEnqueued",
        when: |d| d.event.is_none() && d.input.is_request() && !d.input.links.is_empty(),
        reason: "a consumer's messages waited as long as the mean of those links that say when they were enqueued",
    },
    Rule {
        field: "measurements.timeSinceEnqueued",
        when: |d| d.event.is_none() && d.input.kind == "CONSUMER" && d.input.links.is_empty(),
        reason: "without links nothing is known of a wait",
    },
    Rule {
        field: "measurements.*",
        when: |d| d.key().chars().count() >= 150,
        reason: "a key over 150 characters is dropped: cut ones would collide",
    },
];

fn is_of_a_convention(key: &str) -> bool {
    CONVENTIONS.iter().any(|prefix| key.starts_with(prefix))
}
