//! Functions of arrays.

use std::cmp::Ordering;
use std::sync::Arc;

use hashbrown::HashSet;

use super::text::{count, long, text};
use super::{Context, Function};
use crate::convert::convert;
use crate::time::{self, TICKS_PER_HOUR};
use crate::types::Type;
use crate::value::{Value, real_text};

/// The maximum number of elements in an array that a function or an aggregate makes.
pub(crate) const MAX_ARRAY: usize = 1_048_576;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("array_length", "d -> l", |_, args| {
        args[0]
            .as_array()
            .map_or(Value::Null, |items| count(items.len()))
    }),
    Function::new("pack_array", "[any],any* -> d", |_, args| match args {
        [Value::Array(items)] => Value::Array(items.clone()),
        _ => Value::array(args.to_vec()),
    }),
    Function::new("range", "sum,sum,[sum] -> d", range),
    Function::new("array_concat", "d,d* -> d", array_concat),
    Function::new("array_slice", "d,int,int -> d", array_slice),
    Function::new("array_split", "d,int -> d; d,d -> d", array_split),
    Function::new("array_sum", "d -> r", |_, args| {
        let Some(items) = args[0].as_array() else {
            return Value::Null;
        };
        let numbers: Option<Vec<f64>> = items.iter().map(Value::as_real).collect();
        numbers.map_or(Value::Null, |numbers| Value::Real(numbers.iter().sum()))
    }),
    Function::new(
        "array_index_of",
        "d,any,[int],[int],[int] -> l",
        array_index_of,
    ),
    Function::new("array_reverse", "d -> d", |_, args| {
        args[0].as_array().map_or(Value::Null, |items| {
            Value::array(items.iter().rev().cloned().collect())
        })
    }),
    Function::new("array_sort_asc", "d,any* -> d", |_, args| sort(args, false)),
    Function::new("array_sort_desc", "d,any* -> d", |_, args| sort(args, true)),
    Function::new("array_iff", "d,any,any -> d", array_iff),
    Function::new("array_iif", "d,any,any -> d", array_iff),
    Function::new("array_rotate_left", "d,int -> d", |_, args| {
        rotate(args, false)
    }),
    Function::new("array_rotate_right", "d,int -> d", |_, args| {
        rotate(args, true)
    }),
    Function::new("array_shift_left", "d,int,[any] -> d", |_, args| {
        shift(args, false)
    }),
    Function::new("array_shift_right", "d,int,[any] -> d", |_, args| {
        shift(args, true)
    }),
    Function::new("set_union", "d,d* -> d", |_, args| {
        let mut set = Set::default();
        for items in args.iter().filter_map(Value::as_array) {
            items.iter().for_each(|item| set.push(item));
        }
        Value::array(set.items)
    }),
    Function::new("set_intersect", "d,d* -> d", |_, args| {
        keep(args, |in_others, others| in_others == others)
    }),
    Function::new("set_difference", "d,d* -> d", |_, args| {
        keep(args, |in_others, _| in_others == 0)
    }),
    Function::new("set_equals", "d,d -> b", |_, args| {
        match (args[0].as_array(), args[1].as_array()) {
            (Some(a), Some(b)) => {
                let (a, b) = (keys(a), keys(b));
                Value::Bool(a == b)
            }
            _ => Value::Null,
        }
    }),
    Function::new("set_has_element", "d,any -> b", |_, args| {
        args[0].as_array().map_or(Value::Null, |items| {
            Value::Bool(items.iter().any(|item| item.same(&args[1])))
        })
    }),
    Function::new("zip", "d,d* -> d", zip),
    Function::new("strcat_array", "d,any -> s", |context, args| {
        let Some(items) = args[0].as_array() else {
            return Value::text("");
        };
        let parts: Vec<Arc<str>> = items.iter().map(Value::to_text).collect();
        if parts.iter().map(|part| part.len()).sum::<usize>() > 16 << 20 {
            context.overflowed = true;
            return Value::Null;
        }
        let parts: Vec<&str> = parts.iter().map(|part| &**part).collect();
        Value::text(parts.join(&text(args, 1)))
    }),
    Function::new("repeat", "any,int -> d", |_, args| {
        match long(args, 1).map(usize::try_from) {
            Some(Ok(times)) => Value::array(vec![args[0].clone(); times.min(MAX_ARRAY)]),
            Some(Err(_)) => Value::array(Vec::new()),
            None => Value::Null,
        }
    }),
];

#[expect(clippy::cast_precision_loss, reason = "steps are at most a million")]
fn range(_: &mut Context, args: &[Value]) -> Value {
    let step = match (args.get(2), &args[0]) {
        (Some(step), _) => step.clone(),
        (None, Value::DateTime(_) | Value::TimeSpan(_)) => Value::TimeSpan(TICKS_PER_HOUR),
        (None, _) => Value::Long(1),
    };
    let wrap = |value: i64| match &args[0] {
        Value::DateTime(_) => Value::DateTime(value),
        Value::TimeSpan(_) => Value::TimeSpan(value),
        _ => Value::Long(value),
    };
    let mut items = Vec::new();
    if let (Some(start), Some(stop), Some(step)) =
        (args[0].as_long(), args[1].as_long(), step.as_long())
    {
        let mut at = start;
        while step != 0 && items.len() < MAX_ARRAY && if step > 0 { at <= stop } else { at >= stop }
        {
            items.push(wrap(at));
            match at.checked_add(step) {
                Some(next) => at = next,
                None => break,
            }
        }
        return if step == 0 {
            Value::Null
        } else {
            Value::array(items)
        };
    }
    let (Some(start), Some(stop), Some(step)) =
        (args[0].as_real(), args[1].as_real(), step.as_real())
    else {
        return Value::Null;
    };
    if step == 0.0 || !(start.is_finite() && step.is_finite()) {
        return Value::Null;
    }
    for index in 0..MAX_ARRAY {
        let at = start + step * index as f64;
        if if step > 0.0 { at > stop } else { at < stop } {
            break;
        }
        items.push(Value::Real(at));
    }
    Value::array(items)
}

fn array_concat(context: &mut Context, args: &[Value]) -> Value {
    let mut all = Vec::new();
    for arg in args {
        match arg {
            Value::Array(items) => all.extend(items.iter().cloned()),
            Value::Null => {}
            _ => return Value::Null,
        }
        if all.len() > 4 * MAX_ARRAY {
            context.overflowed = true;
            return Value::Null;
        }
    }
    Value::array(all)
}

/// An index, counted from the end if negative, within 0..=length.
fn position(index: i64, length: usize) -> usize {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    let at = if index < 0 {
        length.saturating_add(index).max(0)
    } else {
        index
    };
    usize::try_from(at.min(length)).unwrap_or(0)
}

fn array_slice(_: &mut Context, args: &[Value]) -> Value {
    let (Some(items), Some(start), Some(end)) = (args[0].as_array(), long(args, 1), long(args, 2))
    else {
        return Value::Null;
    };
    let from = position(start, items.len());
    let last = i64::try_from(items.len()).unwrap_or(i64::MAX);
    if end < -last {
        return Value::array(Vec::new());
    }
    let to = (position(end, items.len()) + 1).min(items.len());
    Value::array(items.get(from..to.max(from)).unwrap_or_default().to_vec())
}

fn array_split(_: &mut Context, args: &[Value]) -> Value {
    let Some(items) = args[0].as_array() else {
        return Value::Null;
    };
    let cuts: Vec<usize> = match &args[1] {
        Value::Array(cuts) => cuts
            .iter()
            .filter_map(Value::as_long)
            .map(|cut| position(cut, items.len()))
            .collect(),
        other => other
            .as_long()
            .map(|cut| position(cut, items.len()))
            .into_iter()
            .collect(),
    };
    let mut parts = Vec::new();
    let mut from = 0;
    for cut in cuts {
        parts.push(Value::array(
            items.get(from..cut.max(from)).unwrap_or_default().to_vec(),
        ));
        from = cut.max(from);
    }
    parts.push(Value::array(items.get(from..).unwrap_or_default().to_vec()));
    Value::array(parts)
}

fn array_index_of(_: &mut Context, args: &[Value]) -> Value {
    let Some(items) = args[0].as_array() else {
        return Value::Null;
    };
    let argument =
        |index: usize, default: i64| args.get(index).map_or(Some(default), Value::as_long);
    let (Some(start), Some(length), Some(occurrence)) =
        (argument(2, 0), argument(3, -1), argument(4, 1))
    else {
        return Value::Null;
    };
    if length < -1 || occurrence < 1 {
        return Value::Null;
    }
    let from = position(start, items.len());
    let to = match usize::try_from(length) {
        Ok(length) => from.saturating_add(length).min(items.len()),
        Err(_) => items.len(),
    };
    let found = items
        .get(from..to)
        .unwrap_or_default()
        .iter()
        .enumerate()
        .filter(|(_, item)| item.same(&args[1]))
        .nth(usize::try_from(occurrence - 1).unwrap_or(usize::MAX));
    found.map_or(Value::Long(-1), |(index, _)| count(from + index))
}

fn sort(args: &[Value], descending: bool) -> Value {
    let nulls_last = match args.last() {
        Some(Value::Bool(nulls_last)) if args.len() > 1 => *nulls_last,
        _ => true,
    };
    let arrays: Vec<&[Value]> = args.iter().filter_map(Value::as_array).collect();
    let Some(first) = arrays.first() else {
        return Value::Null;
    };
    let mut order: Vec<usize> = (0..first.len()).collect();
    order.sort_by(|a, b| {
        let (a, b) = (&first[*a], &first[*b]);
        match (a.is_null(), b.is_null()) {
            (true, true) => Ordering::Equal,
            (true, false) if nulls_last => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, true) if nulls_last => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ if descending => b.order(a),
            _ => a.order(b),
        }
    });
    let mut sorted: Vec<Value> = arrays
        .iter()
        .map(|items| {
            if items.len() == first.len() {
                Value::array(order.iter().map(|index| items[*index].clone()).collect())
            } else {
                Value::Null
            }
        })
        .collect();
    if sorted.len() == 1 {
        sorted.pop().unwrap_or_default()
    } else {
        Value::array(sorted)
    }
}

fn array_iff(_: &mut Context, args: &[Value]) -> Value {
    let Some(conditions) = args[0].as_array() else {
        return Value::Null;
    };
    let pick = |side: &Value, index: usize| match side {
        Value::Array(items) => items.get(index).cloned().unwrap_or_default(),
        other => other.clone(),
    };
    let items = conditions.iter().enumerate().map(|(index, condition)| {
        match convert(condition, Type::Bool).as_bool() {
            Some(true) => pick(&args[1], index),
            Some(false) => pick(&args[2], index),
            None => Value::Null,
        }
    });
    Value::array(items.collect())
}

fn rotate(args: &[Value], right: bool) -> Value {
    let (Some(items), Some(by)) = (args[0].as_array(), long(args, 1)) else {
        return Value::Null;
    };
    let mut items = items.to_vec();
    if items.is_empty() {
        return Value::array(items);
    }
    let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let by = by.rem_euclid(length);
    let left = if right { (length - by) % length } else { by };
    items.rotate_left(usize::try_from(left).unwrap_or(0));
    Value::array(items)
}

fn shift(args: &[Value], right: bool) -> Value {
    let (Some(items), Some(by)) = (args[0].as_array(), long(args, 1)) else {
        return Value::Null;
    };
    let by = if right { by.saturating_neg() } else { by };
    let fill = args.get(2).cloned().unwrap_or_default();
    let shifted = (0..items.len()).map(|index| {
        let from = i64::try_from(index)
            .ok()
            .and_then(|index| index.checked_add(by));
        let from = from.and_then(|from| usize::try_from(from).ok());
        from.and_then(|from| items.get(from))
            .cloned()
            .unwrap_or_else(|| fill.clone())
    });
    Value::array(shifted.collect())
}

/// Distinct values in the order of their first occurrence.
#[derive(Default)]
pub(crate) struct Set {
    pub(crate) items: Vec<Value>,
    seen: HashSet<Vec<u8>>,
}

impl Set {
    pub(crate) fn push(&mut self, value: &Value) {
        let mut key = Vec::new();
        value.write_key(&mut key);
        if self.seen.insert(key) {
            self.items.push(value.clone());
        }
    }

    pub(crate) fn size(&self) -> usize {
        self.items.len()
    }
}

fn keys(items: &[Value]) -> HashSet<Vec<u8>> {
    items
        .iter()
        .map(|item| {
            let mut key = Vec::new();
            item.write_key(&mut key);
            key
        })
        .collect()
}

/// Distinct values of the first array, selected by the number of other arrays that contain them.
fn keep(args: &[Value], accept: impl Fn(usize, usize) -> bool) -> Value {
    let Some(first) = args[0].as_array() else {
        return Value::Null;
    };
    let others: Vec<HashSet<Vec<u8>>> = args[1..]
        .iter()
        .map(|other| keys(other.as_array().unwrap_or_default()))
        .collect();
    let mut set = Set::default();
    for item in first {
        let mut key = Vec::new();
        item.write_key(&mut key);
        let found = others.iter().filter(|other| other.contains(&key)).count();
        if accept(found, others.len()) {
            set.push(item);
        }
    }
    Value::array(set.items)
}

fn zip(_: &mut Context, args: &[Value]) -> Value {
    let longest = args
        .iter()
        .filter_map(Value::as_array)
        .map(<[Value]>::len)
        .max();
    let Some(longest) = longest else {
        return Value::Null;
    };
    let rows = (0..longest).map(|index| {
        let row = args.iter().map(|arg| match arg {
            Value::Array(items) => items.get(index).cloned().unwrap_or_default(),
            other => other.clone(),
        });
        Value::array(row.collect())
    });
    Value::array(rows.collect())
}

/// The result of `gettype` for a dynamic value.
pub(crate) fn dynamic_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Long(_) => "long",
        Value::Real(_) => "real",
        Value::Decimal(_) => "decimal",
        Value::String(_) => "string",
        Value::DateTime(_) => "datetime",
        Value::TimeSpan(_) => "timespan",
        Value::Guid(_) => "guid",
        Value::Array(_) => "array",
        Value::Bag(_) => "dictionary",
    }
}

/// A value as the name of a column, for `pivot`.
pub(crate) fn column_name(value: &Value) -> String {
    match value {
        Value::Real(number) => real_text(*number),
        Value::DateTime(ticks) => time::datetime_text(*ticks),
        other => other.to_text().to_string(),
    }
}
