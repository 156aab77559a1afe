//! The reviewed deviations: where ours differs from both officials, and why.
//!
//! A rule names a field and a condition on the input, never a case, so that it also holds for inputs
//! that nobody has recorded yet. What ours must be is worked out by
//! [`expected`](crate::replay::expected) from the input alone.

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

/// Why a field may differ where an official has dropped the item: there is nothing to agree with.
pub const DROPPED: &str = "an official dropped the item: ours is never lost whole";

/// The officials ask some attributes for being there and others for being true, and write a list as
/// their language does.
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
