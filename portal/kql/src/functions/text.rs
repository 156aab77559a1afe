//! Functions of strings.

use std::sync::Arc;

use regex::Regex;

use super::{Context, Function, Naming};
use crate::value::{Value, empty};

/// The maximum length of a result; a longer one fails the query.
const MAX_TEXT: usize = 16 << 20;

pub(crate) const FUNCTIONS: &[Function] = &[
    Function::new("strcat", "any,any* -> s", strcat),
    Function::new("strcat_delim", "any,any,any,any* -> s", strcat_delim),
    Function::new("strlen", "any -> l", |_, args| {
        count(text(args, 0).chars().count())
    })
    .named(Naming::Prefixed("strlen")),
    Function::new("string_size", "any -> l", |_, args| {
        count(text(args, 0).len())
    })
    .named(Naming::Prefixed("string_size")),
    Function::new("substring", "any,int,[int] -> s", substring),
    Function::new("split", "any,s,[int] -> d", split).first(),
    Function::new("tolower", "any -> s", |_, args| {
        Value::text(text(args, 0).to_lowercase())
    }),
    Function::new("toupper", "any -> s", |_, args| {
        Value::text(text(args, 0).to_uppercase())
    }),
    Function::new("trim", "s,any -> s", |context, args| {
        trim(context, args, true, true)
    }),
    Function::new("trim_start", "s,any -> s", |context, args| {
        trim(context, args, true, false)
    }),
    Function::new("trim_end", "s,any -> s", |context, args| {
        trim(context, args, false, true)
    }),
    Function::new("replace_string", "any,s,s -> s", |context, args| {
        replace_text(context, &text(args, 0), &text(args, 1), &text(args, 2))
    }),
    Function::new("replace_strings", "any,d,d -> s", replace_strings),
    Function::new("replace_regex", "any,s,s -> s", |context, args| {
        replace_regex(context, &text(args, 0), &text(args, 1), &text(args, 2))
    }),
    Function::new("replace", "s,s,any -> s", |context, args| {
        replace_regex(context, &text(args, 2), &text(args, 0), &text(args, 1))
    }),
    Function::new("extract", "s,int,any -> s", extract),
    Function::new("extract_all", "s,any -> d; s,d,any -> d", extract_all),
    Function::new("indexof", "any,any,[int],[int],[int] -> l", |_, args| {
        indexof(args, &|hay, needle| hay.find(needle))
    }),
    Function::new(
        "indexof_regex",
        "any,any,[int],[int],[int] -> l",
        indexof_regex,
    ),
    Function::new("countof", "any,any,[s] -> l", countof),
    Function::new("reverse", "any -> s", |_, args| {
        Value::text(text(args, 0).chars().rev().collect::<String>())
    }),
    Function::new("strrep", "any,int,[any] -> s", strrep),
    Function::new("strcmp", "any,any -> l", |_, args| {
        Value::Long(text(args, 0).cmp(&text(args, 1)) as i64)
    }),
    Function::new("regex_quote", "any -> s", |_, args| {
        Value::text(regex::escape(&text(args, 0)))
    }),
    Function::new("translate", "s,s,any -> s", translate),
    Function::new("unicode_codepoints_from_string", "any -> d", |_, args| {
        Value::array(
            text(args, 0)
                .chars()
                .map(|c| Value::Long(i64::from(u32::from(c))))
                .collect(),
        )
    }),
    Function::new(
        "unicode_codepoints_to_string",
        "d,d* -> s",
        codepoints_to_string,
    ),
    Function::new("parse_csv", "any -> d", parse_csv).first(),
];

pub(crate) fn text(args: &[Value], index: usize) -> Arc<str> {
    args.get(index).map_or_else(empty, Value::to_text)
}

pub(crate) fn long(args: &[Value], index: usize) -> Option<i64> {
    args.get(index).and_then(Value::as_long)
}

pub(crate) fn count(number: usize) -> Value {
    Value::Long(i64::try_from(number).unwrap_or(i64::MAX))
}

fn bounded(context: &mut Context, text: String) -> Value {
    if text.len() > MAX_TEXT {
        context.overflowed = true;
        return Value::Null;
    }
    Value::text(text)
}

fn strcat(context: &mut Context, args: &[Value]) -> Value {
    let mut out = String::new();
    args.iter().for_each(|arg| arg.write_text(&mut out));
    bounded(context, out)
}

fn strcat_delim(context: &mut Context, args: &[Value]) -> Value {
    let parts: Vec<_> = args.iter().skip(1).map(Value::to_text).collect();
    let parts: Vec<&str> = parts.iter().map(|part| &**part).collect();
    let joined = parts.join(&text(args, 0));
    bounded(context, joined)
}

fn substring(_: &mut Context, args: &[Value]) -> Value {
    let source = text(args, 0);
    let Some(start) = long(args, 1) else {
        return Value::text("");
    };
    let start = match usize::try_from(start) {
        Ok(start) => start,
        Err(_) => {
            let length = source.chars().count();
            length.saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX))
        }
    };
    let length = match args.get(2) {
        Some(length) => usize::try_from(length.as_long().unwrap_or(0)).unwrap_or(0),
        None => usize::MAX,
    };
    let mut offsets = source
        .char_indices()
        .map(|(at, _)| at)
        .chain([source.len()]);
    let Some(from) = offsets.nth(start) else {
        return Value::text("");
    };
    let to = match length.checked_sub(1) {
        Some(skip) => offsets.nth(skip).unwrap_or(source.len()),
        None => from,
    };
    Value::text(source.get(from..to).unwrap_or_default())
}

fn split(_: &mut Context, args: &[Value]) -> Value {
    let (source, delimiter) = (text(args, 0), text(args, 1));
    let parts: Vec<Value> = if delimiter.is_empty() {
        vec![Value::text(&source)]
    } else {
        source.split(&*delimiter).map(Value::text).collect()
    };
    match args.get(2) {
        Some(index) => {
            let index = index
                .as_long()
                .and_then(|index| usize::try_from(index).ok());
            Value::array(
                index
                    .and_then(|index| parts.get(index).cloned())
                    .into_iter()
                    .collect(),
            )
        }
        None => Value::array(parts),
    }
}

fn trim(context: &mut Context, args: &[Value], start: bool, end: bool) -> Value {
    let (pattern, source) = (text(args, 0), text(args, 1));
    let mut rest: &str = &source;
    if start {
        let Some(regex) = context.regex(&Arc::from(format!("^(?:{pattern})"))) else {
            return Value::String(source.clone());
        };
        if let Some(found) = regex.find(rest) {
            rest = &rest[found.end()..];
        }
    }
    if end {
        let Some(regex) = context.regex(&Arc::from(format!("(?:{pattern})$"))) else {
            return Value::String(source.clone());
        };
        if let Some(found) = regex.find(rest) {
            rest = &rest[..found.start()];
        }
    }
    Value::text(rest)
}

fn replace_text(context: &mut Context, source: &Arc<str>, lookup: &str, rewrite: &str) -> Value {
    if lookup.is_empty() || !source.contains(lookup) {
        return Value::String(source.clone());
    }
    let grown = source.matches(lookup).count().saturating_mul(rewrite.len());
    if grown > MAX_TEXT {
        context.overflowed = true;
        return Value::Null;
    }
    Value::text(source.replace(lookup, rewrite))
}

fn replace_strings(context: &mut Context, args: &[Value]) -> Value {
    let (Some(lookups), Some(rewrites)) = (args[1].as_array(), args[2].as_array()) else {
        return Value::String(text(args, 0));
    };
    let mut current = Value::String(text(args, 0));
    for (lookup, rewrite) in lookups.iter().zip(rewrites) {
        current = replace_text(
            context,
            &current.to_text(),
            &lookup.to_text(),
            &rewrite.to_text(),
        );
    }
    current
}

/// Rewrites Kusto's `\1` to `${1}`, and escapes `$`.
fn rewrite_rule(rewrite: &str) -> String {
    let mut rule = String::with_capacity(rewrite.len());
    let mut characters = rewrite.chars();
    while let Some(c) = characters.next() {
        match c {
            '$' => rule.push_str("$$"),
            '\\' => match characters.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    rule.push_str("${");
                    rule.push(digit);
                    rule.push('}');
                }
                Some('$') => rule.push_str("$$"),
                Some(other) => rule.push(other),
                None => rule.push('\\'),
            },
            other => rule.push(other),
        }
    }
    rule
}

fn replace_regex(
    context: &mut Context,
    source: &Arc<str>,
    pattern: &Arc<str>,
    rewrite: &str,
) -> Value {
    let Some(regex) = context.regex(pattern) else {
        return Value::String(source.clone());
    };
    let rule = rewrite_rule(rewrite);
    if regex
        .find_iter(source)
        .count()
        .saturating_mul(rewrite.len())
        > MAX_TEXT
    {
        context.overflowed = true;
        return Value::Null;
    }
    match regex.replace_all(source, rule.as_str()) {
        std::borrow::Cow::Borrowed(_) => Value::String(source.clone()),
        std::borrow::Cow::Owned(replaced) => bounded(context, replaced),
    }
}

fn extract(context: &mut Context, args: &[Value]) -> Value {
    let source = text(args, 2);
    let found = context.regex(&text(args, 0)).and_then(|regex| {
        let group = usize::try_from(long(args, 1)?).ok()?;
        let captures = regex.captures(&source)?;
        Some(Value::text(captures.get(group)?.as_str()))
    });
    found.unwrap_or_else(|| Value::text(""))
}

fn extract_all(context: &mut Context, args: &[Value]) -> Value {
    let (groups, source) = match args {
        [_, source] => (None, source.to_text()),
        _ => (args[1].as_array(), text(args, 2)),
    };
    let Some(regex) = context.regex(&text(args, 0)) else {
        return Value::Null;
    };
    let wanted: Vec<usize> = match groups {
        Some(groups) => groups
            .iter()
            .filter_map(|group| group_index(&regex, group))
            .collect(),
        None => (1..regex.captures_len()).collect(),
    };
    if wanted.is_empty() {
        return Value::Null;
    }
    let all: Vec<Value> = regex
        .captures_iter(&source)
        .map(|captures| {
            let mut found = wanted
                .iter()
                .map(|group| Value::text(captures.get(*group).map_or("", |group| group.as_str())));
            match wanted.len() {
                1 => found.next().unwrap_or_default(),
                _ => Value::array(found.collect()),
            }
        })
        .collect();
    if all.is_empty() {
        Value::Null
    } else {
        Value::array(all)
    }
}

fn group_index(regex: &Regex, group: &Value) -> Option<usize> {
    match group {
        Value::Long(index) => usize::try_from(*index)
            .ok()
            .filter(|index| *index < regex.captures_len()),
        Value::String(name) => regex.capture_names().position(|found| found == Some(name)),
        _ => None,
    }
}

/// Finds the n-th occurrence in a window of the text. Every occurrence is searched in a window of the same
/// length.
fn indexof(args: &[Value], find: &dyn Fn(&str, &str) -> Option<usize>) -> Value {
    let source: Vec<char> = text(args, 0).chars().collect();
    let needle = text(args, 1);
    let argument =
        |index: usize, default: i64| args.get(index).map_or(Some(default), Value::as_long);
    let (Some(start), Some(length), Some(occurrence)) =
        (argument(2, 0), argument(3, -1), argument(4, 1))
    else {
        return Value::Null;
    };
    let size = i64::try_from(source.len()).unwrap_or(i64::MAX);
    let mut at = if start < 0 {
        size.saturating_add(start).max(0)
    } else {
        start
    };
    if occurrence < 1 || length < -1 {
        return Value::Null;
    }
    for number in 1..=occurrence {
        if at > size {
            break;
        }
        let end = if length < 0 {
            size
        } else {
            at.saturating_add(length).min(size)
        };
        let (from, to) = (
            usize::try_from(at).unwrap_or(0),
            usize::try_from(end).unwrap_or(0),
        );
        let window: String = source.get(from..to).unwrap_or_default().iter().collect();
        let Some(found) = find(&window, &needle) else {
            break;
        };
        let characters = window
            .get(..found)
            .map_or(0, |before| before.chars().count());
        let index = at + i64::try_from(characters).unwrap_or(0);
        if number == occurrence {
            return Value::Long(index);
        }
        at = index + 1;
    }
    Value::Long(-1)
}

fn indexof_regex(context: &mut Context, args: &[Value]) -> Value {
    match context.regex(&text(args, 1)) {
        Some(regex) => indexof(args, &|hay, _| regex.find(hay).map(|found| found.start())),
        None => Value::Long(-1),
    }
}

fn countof(context: &mut Context, args: &[Value]) -> Value {
    let (source, needle) = (text(args, 0), text(args, 1));
    if &*text(args, 2) == "regex" {
        return context
            .regex(&needle)
            .map_or(Value::Null, |regex| count(regex.find_iter(&source).count()));
    }
    if needle.is_empty() {
        return Value::Long(0);
    }
    let starts = source
        .char_indices()
        .filter(|(at, _)| source[*at..].starts_with(&*needle));
    count(starts.count())
}

fn strrep(context: &mut Context, args: &[Value]) -> Value {
    const MOST: i64 = 1024;

    let Some(times @ 0..) = long(args, 1) else {
        return Value::text("");
    };
    let parts = vec![text(args, 0); usize::try_from(times.min(MOST)).unwrap_or(0)];
    let total: usize = parts.iter().map(|part| part.len()).sum();
    if total > MAX_TEXT {
        context.overflowed = true;
        return Value::Null;
    }
    let parts: Vec<&str> = parts.iter().map(|part| &**part).collect();
    let joined = parts.join(&text(args, 2));
    bounded(context, joined)
}

fn translate(_: &mut Context, args: &[Value]) -> Value {
    let from: Vec<char> = text(args, 0).chars().collect();
    let to: Vec<char> = text(args, 1).chars().collect();
    let translated = text(args, 2)
        .chars()
        .filter_map(|c| match from.iter().position(|found| *found == c) {
            Some(at) => to.get(at).or_else(|| to.last()).copied(),
            None => Some(c),
        })
        .collect::<String>();
    Value::text(translated)
}

fn codepoints_to_string(_: &mut Context, args: &[Value]) -> Value {
    let mut out = String::new();
    let mut push = |value: &Value| {
        let code = value.as_long().and_then(|code| u32::try_from(code).ok());
        out.extend(code.and_then(char::from_u32));
    };
    for arg in args {
        match arg {
            Value::Array(items) => items.iter().for_each(&mut push),
            other => push(other),
        }
    }
    Value::text(out)
}

/// The fields of the first line. A doubled quote inside quotes is a quote.
fn parse_csv(_: &mut Context, args: &[Value]) -> Value {
    let source = text(args, 0);
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = source.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(Value::text(std::mem::take(&mut field))),
            '\n' | '\r' if !quoted => break,
            other => field.push(other),
        }
    }
    fields.push(Value::text(field));
    Value::array(fields)
}
