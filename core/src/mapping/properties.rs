//! Custom dimensions: every attribute that no rule used for a field.

use std::borrow::Cow;
use std::collections::HashMap;

use opentelemetry::KeyValue;

use crate::envelope::Properties;
use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::text;

/// Up to here, comparing each key with the later ones is faster than a hash map.
const FEW: usize = 32;

/// The attributes that are left, each key once, with room for `extra` pairs more.
pub(super) fn unused<'a>(attributes: &Attributes<'a>, extra: usize) -> Properties<'a> {
    let all = attributes.all();
    let last = (all.len() > FEW).then(|| last_places(all));
    let mut properties = Properties::with_capacity(all.len() + extra);
    for (place, KeyValue { key, value, .. }) in all.iter().enumerate() {
        let name = key.as_str();
        let is_kept = match (Key::of(name), &last) {
            (Some(known), _) => {
                // The last value of a key is the one that the rules saw.
                let is_last = attributes
                    .value(known)
                    .is_some_and(|last| std::ptr::eq(last, value));
                is_last && !attributes.is_used(known)
            }
            (None, Some(last)) => last.get(name) == Some(&place),
            (None, None) => !all
                .iter()
                .skip(place + 1)
                .any(|later| later.key.as_str() == name),
        };
        if is_kept && !name.is_empty() {
            let text = text::of(value, attributes.arena());
            properties.push(Cow::Borrowed(name), Cow::Borrowed(text));
        }
    }
    properties
}

fn last_places(all: &[KeyValue]) -> HashMap<&str, usize> {
    let places = all.iter().enumerate();
    places
        .map(|(place, pair)| (pair.key.as_str(), place))
        .collect()
}
