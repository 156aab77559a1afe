//! The subset of JSONPath that functions accept: `$.a.b[0]['c d']`.

use std::sync::Arc;

use crate::value::Value;

pub(crate) enum Step {
    Key(Arc<str>),
    Index(i64),
}

/// The steps of a path; `None` if the path is invalid.
pub(crate) fn parse(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('.') {
            if after.starts_with('[') {
                rest = after;
                continue;
            }
            let end = after.find(['.', '[']).unwrap_or(after.len());
            if end == 0 {
                return None;
            }
            steps.push(Step::Key(Arc::from(&after[..end])));
            rest = &after[end..];
        } else {
            let after = rest.strip_prefix('[')?;
            if let Some(quoted) = after.strip_prefix(['\'', '"']) {
                let end = quoted.find(['\'', '"'])?;
                steps.push(Step::Key(Arc::from(&quoted[..end])));
                rest = quoted[end + 1..].strip_prefix(']')?;
            } else {
                let end = after.find(']')?;
                steps.push(Step::Index(after[..end].trim().parse().ok()?));
                rest = &after[end + 1..];
            }
        }
    }
    Some(steps)
}

/// The value at the end of the path.
pub(crate) fn follow<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.as_bag()?.get(key),
        Step::Index(index) => element(value, *index),
    })
}

/// The element of an array; a negative index counts from the end.
pub(crate) fn element(value: &Value, index: i64) -> Option<&Value> {
    let items = value.as_array()?;
    let at = if index < 0 {
        i64::try_from(items.len()).ok()? + index
    } else {
        index
    };
    items.get(usize::try_from(at).ok()?)
}

/// The value without the element at the path.
pub(crate) fn without(value: &Value, steps: &[Step]) -> Value {
    let (Value::Bag(bag), Some((Step::Key(key), rest))) = (value, steps.split_first()) else {
        return value.clone();
    };
    let members = bag.0.iter().filter_map(|(name, member)| match name == key {
        true if rest.is_empty() => None,
        true => Some((name.clone(), without(member, rest))),
        false => Some((name.clone(), member.clone())),
    });
    Value::bag(members.collect())
}
