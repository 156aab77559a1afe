//! Exceptions and messages of events.

use crate::replay::rule::{Difference, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        field: "exception.stack",
        when: |d| !says(d, "exception.stacktrace"),
        reason: "no stack is no stack, not the word None",
    },
    Rule {
        field: "exception.hasFullStack",
        when: |d| !says(d, "exception.stacktrace"),
        reason: "no stack is not a full one",
    },
    Rule {
        field: "exception.typeName",
        when: |d| !says(d, "exception.type"),
        reason: "an exception without a type is an Exception",
    },
    Rule {
        field: "exception.message",
        when: |d| !says(d, "exception.message"),
        reason: "an exception without a message says Exception",
    },
    Rule {
        field: "data.message",
        when: |d| d.event.is_some_and(|event| event.name.is_empty()),
        reason: "the service refuses a message without text",
    },
];

fn says(difference: &Difference<'_>, key: &str) -> bool {
    difference.attributes().has(key)
}
