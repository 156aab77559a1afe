//! Functions of property bags and of JSON.

use std::sync::Arc;

use super::arrays::dynamic_type;
use super::path;
use super::text::text;
use super::{Context, Function, Naming};
use crate::json;
use crate::value::{Bag, Value};

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("parse_json", "any -> d", |_, args| match &args[0] {
        Value::String(text) => json::parse_lenient(text),
        other => other.clone(),
    })
    .first(),
    Function::new("bag_pack", "[any],any* -> d", |_, args| pack(args, false)),
    Function::new("_pack_filled", "[any],any* -> d", |_, args| {
        pack(args, true)
    }),
    Function::new("bag_keys", "d -> d", |_, args| {
        args[0].as_bag().map_or(Value::Null, |bag| {
            Value::array(
                bag.0
                    .iter()
                    .map(|(key, _)| Value::String(key.clone()))
                    .collect(),
            )
        })
    }),
    Function::new("bag_has_key", "d,s -> b", |_, args| {
        match args[0].as_bag() {
            Some(bag) => {
                let key = text(args, 1);
                let nested = path::parse(&key).filter(|steps| !steps.is_empty());
                let by_path = nested.is_some_and(|steps| path::follow(&args[0], &steps).is_some());
                Value::Bool(by_path || bag.get(&key).is_some())
            }
            None => Value::Null,
        }
    }),
    Function::new("bag_merge", "d,d* -> d", bag_merge),
    Function::new("bag_remove_keys", "d,d -> d", bag_remove_keys),
    Function::new("bag_set_key", "d,s,any -> d", |_, args| {
        match args[0].as_bag() {
            Some(bag) => {
                let mut bag = bag.clone();
                bag.set(text(args, 1), args[2].clone());
                Value::Bag(Arc::new(bag))
            }
            None => Value::Null,
        }
    }),
    Function::new("bag_zip", "d,d -> d", |_, args| {
        match (args[0].as_array(), args[1].as_array()) {
            (Some(keys), Some(values)) => {
                let members = keys.iter().enumerate().map(|(index, key)| {
                    (
                        key.to_text(),
                        values.get(index).cloned().unwrap_or_default(),
                    )
                });
                unique(members.collect())
            }
            _ => Value::Null,
        }
    }),
    Function::new("extract_json", "s,any -> s", |_, args| {
        let found = (|| {
            let value = match &args[1] {
                Value::String(text) => json::parse(text)?,
                other => other.clone(),
            };
            path::follow(&value, &path::parse(args[0].as_str()?)?).cloned()
        })();
        found.map_or_else(|| Value::text(""), |found| Value::String(found.to_text()))
    }),
    Function::new("gettype", "any -> s", |_, args| {
        Value::text(dynamic_type(&args[0]))
    })
    .named(Naming::Prefixed("type")),
    Function::new("_in_array", "any,d -> b", |_, args| {
        Value::Bool(
            args[1]
                .as_array()
                .is_some_and(|items| items.iter().any(|item| item.same(&args[0]))),
        )
    }),
];

fn pack(args: &[Value], only_filled: bool) -> Value {
    let members = args.chunks_exact(2).filter(|pair| {
        let empty = pair[1].is_null() || pair[1].as_str() == Some("");
        !(only_filled && empty)
    });
    unique(
        members
            .map(|pair| (pair[0].to_text(), pair[1].clone()))
            .collect(),
    )
}

/// A bag in which the last of several members with one name is kept.
fn unique(members: Vec<(Arc<str>, Value)>) -> Value {
    let mut bag = Bag(Vec::with_capacity(members.len()));
    let mut places = hashbrown::HashMap::with_capacity(members.len());
    for (key, value) in members {
        match places.get(&key) {
            Some(&at) => {
                let member: &mut (Arc<str>, Value) = &mut bag.0[at];
                member.1 = value;
            }
            None => {
                places.insert(key.clone(), bag.0.len());
                bag.0.push((key, value));
            }
        }
    }
    Value::Bag(Arc::new(bag))
}

fn bag_merge(_: &mut Context, args: &[Value]) -> Value {
    // The leftmost bag takes precedence: members are added from the right.
    let mut any = false;
    let mut names = hashbrown::HashSet::new();
    let mut merged = Vec::new();
    for bag in args.iter().filter_map(Value::as_bag) {
        any = true;
        for (key, value) in &bag.0 {
            if names.insert(key.clone()) {
                merged.push((key.clone(), value.clone()));
            }
        }
    }
    if any { Value::bag(merged) } else { Value::Null }
}

fn bag_remove_keys(_: &mut Context, args: &[Value]) -> Value {
    let (Value::Bag(_), Some(keys)) = (&args[0], args[1].as_array()) else {
        return Value::Null;
    };
    keys.iter().fold(args[0].clone(), |bag, key| {
        let key = key.to_text();
        let steps = path::parse(&key).unwrap_or_else(|| vec![path::Step::Key(key)]);
        path::without(&bag, &steps)
    })
}
