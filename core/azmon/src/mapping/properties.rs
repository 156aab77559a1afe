//! Custom dimensions: all attributes that no rule used for a field.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ptr;

use opentelemetry::KeyValue;

use crate::envelope::Properties;
use crate::mapping::attributes::Attributes;
use crate::mapping::text;

/// Up to this number of attributes, comparing each key with the later ones is faster than a hash map.
const FEW: usize = 32;

/// The unused attributes, each key once, with room for `extra` more pairs.
///
/// The last value of a repeated key is kept: the one that the rules see.
pub(super) fn unused<'a>(attributes: &Attributes<'a>, extra: usize) -> Properties<'a> {
    let all = attributes.iter();
    let last = (all.len() > FEW).then(|| last_places(attributes));
    let mut properties = attributes.arena().pairs(all.len() + extra);
    for (place, (known, KeyValue { key, value, .. })) in all.enumerate() {
        let name = key.as_str();
        let is_kept = match (known, &last) {
            (Some(known), _) => {
                let is_last = attributes
                    .value(known)
                    .is_some_and(|last| ptr::eq(last, value));
                is_last && !attributes.is_used(known)
            }
            (None, Some(last)) => last.get(name) == Some(&place),
            (None, None) => {
                let mut later = attributes.iter().skip(place + 1);
                !name.is_empty() && !later.any(|(_, later)| later.key.as_str() == name)
            }
        };
        if is_kept {
            let text = text::of(value, attributes.arena());
            properties.push(Cow::Borrowed(name), Cow::Borrowed(text));
        }
    }
    properties
}

fn last_places<'a>(attributes: &Attributes<'a>) -> HashMap<&'a str, usize> {
    let names = attributes
        .iter()
        .map(|(_, attribute)| attribute.key.as_str());
    names
        .enumerate()
        .map(|(place, name)| (name, place))
        .filter(|(name, _)| !name.is_empty())
        .collect()
}
