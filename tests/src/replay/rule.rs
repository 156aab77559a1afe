//! What a deviation rule is.

use crate::replay::input::{Attributes, Event, Input};

/// One field of one item, for which ours differs from both officials.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// The field, as [`item`](crate::replay::item) names it.
    pub field: &'a str,
    /// The span or the log record.
    pub input: &'a Input,
    /// The event, if the item is an event's.
    pub event: Option<&'a Event>,
}

impl<'a> Difference<'a> {
    /// The attributes of the item: the event's, else the input's.
    #[must_use]
    pub fn attributes(&self) -> &'a Attributes {
        self.event
            .map_or(&self.input.attributes, |event| &event.attributes)
    }

    /// The key of a property or measurement.
    #[must_use]
    pub fn key(&self) -> &'a str {
        self.field.split_once('.').map_or("", |(_, key)| key)
    }
}

/// A deviation that was thought about: for such a field and such an input, ours differs from both
/// officials, and is what [`expected`](crate::replay::expected) works out.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The field; a `*` at the end stands for anything.
    pub field: &'static str,
    /// For which inputs.
    pub when: fn(&Difference<'_>) -> bool,
    /// Why ours is better.
    pub reason: &'static str,
}

impl Rule {
    /// Whether the rule speaks of this difference.
    #[must_use]
    pub fn covers(&self, difference: &Difference<'_>) -> bool {
        let is_field = match self.field.strip_suffix('*') {
            Some(prefix) => difference.field.starts_with(prefix),
            None => difference.field == self.field,
        };
        is_field && (self.when)(difference)
    }
}
