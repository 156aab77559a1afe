//! Custom dimensions and measurements.

use crate::replay::rule::Rule;

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
        when: |d| d.attributes().value(d.key()).is_some(),
        reason: "an attribute is kept, at its full length, exactly when no field holds what it says",
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
