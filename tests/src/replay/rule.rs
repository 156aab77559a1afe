//! A rule for a deviation.

use crate::replay::input::{Attributes, Event, Input};

/// A field of an item in which ours differs from both official exporters.
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

/// A reviewed deviation. For such a field and input, ours differs from both official exporters, and equals the
/// value that [`expected`](crate::replay::expected) computes.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// The name of the field; a trailing `*` matches any text.
    pub field: &'static str,
    /// The condition on the input.
    pub when: fn(&Difference<'_>) -> bool,
    /// The reason why our value is better.
    pub reason: &'static str,
}

impl Rule {
    /// Whether the rule applies to this difference.
    #[must_use]
    pub fn covers(&self, difference: &Difference<'_>) -> bool {
        let is_field = match self.field.strip_suffix('*') {
            Some(prefix) => difference.field.starts_with(prefix),
            None => difference.field == self.field,
        };
        is_field && (self.when)(difference)
    }
}
