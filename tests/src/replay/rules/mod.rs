//! The reviewed deviations: fields in which ours differs from both official exporters, and the reasons.
//!
//! A rule names a field and a condition on the input, never a case, so that it also applies to unrecorded inputs.
//! [`expected`](crate::replay::expected) computes our value from the input alone.

mod context;
mod dependency;
mod events;
mod logs;
mod properties;
mod request;

use crate::replay::rule::{Difference, Rule};

/// All rules, by subject.
pub const ALL: &[&[Rule]] = &[
    context::RULES,
    request::RULES,
    dependency::RULES,
    properties::RULES,
    events::RULES,
    logs::RULES,
    &[ODD_VALUE],
];

/// The reason for a field of an item that an official exporter dropped: a comparison is impossible.
pub const DROPPED: &str = "an official dropped the item: ours is never lost whole";

/// The official exporters test some attributes for presence and others for truth, and format lists in the syntax
/// of their languages.
const ODD_VALUE: Rule = Rule {
    field: "*",
    when: has_odd_value,
    reason: "an empty text or an array fills no field, and 0 and false do",
};

fn has_odd_value(difference: &Difference<'_>) -> bool {
    use serde_json::Value;
    let is_odd = |value: &Value| match value {
        Value::Array(_) | Value::Bool(_) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Null | Value::Object(_) => false,
    };
    let attributes = difference
        .input
        .attributes
        .iter()
        .chain(difference.input.resource.iter());
    attributes
        .chain(difference.attributes().iter())
        .any(|(_, value)| is_odd(value))
}
