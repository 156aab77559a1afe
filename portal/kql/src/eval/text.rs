//! `contains`, `startswith`, `has` and similar operators.

use std::borrow::Cow;
use std::sync::Arc;

use regex::Regex;

use crate::batch::Vector;
use crate::column::{Column, Data};
use crate::error::Result;
use crate::functions::Context;
use crate::syntax::ast::{TextKind, TextOp};
use crate::types::Type;
use crate::value::Value;

pub(super) fn eval(
    context: &mut Context,
    op: TextOp,
    negated: bool,
    value: &Vector,
    needle: &Vector,
    rows: usize,
) -> Result<Vector> {
    let constant = match needle {
        Vector::Const(needle) => Some(Matcher::new(context, op, &needle.to_text())),
        Vector::Column(_) => None,
    };
    if let (Vector::Const(value), Some(matcher)) = (value, &constant) {
        return Ok(Vector::Const(Value::Bool(
            matcher.matches(&value.to_text()) != negated,
        )));
    }
    let mut flags = Vec::with_capacity(rows);
    if let (Vector::Column(column), Some(matcher)) = (value, &constant) {
        match &column.data {
            Data::String(texts) => {
                let mut last: Option<(&Arc<str>, bool)> = None;
                for text in texts {
                    let found = match last {
                        Some((seen, found)) if Arc::ptr_eq(seen, text) => found,
                        _ => matcher.matches(text),
                    };
                    last = Some((text, found));
                    flags.push(found != negated);
                }
            }
            _ => flags.extend((0..rows).map(|row| matcher.matches(&column.text(row)) != negated)),
        }
    } else {
        for row in 0..rows {
            let matcher = Matcher::new(context, op, &needle.get(row).to_text());
            flags.push(matcher.matches(&value.get(row).to_text()) != negated);
        }
    }
    Ok(Column::of(Type::Bool, Data::Bool(flags), None).into())
}

/// A prepared search text.
struct Matcher {
    op: TextOp,
    /// Folded if case is ignored.
    needle: String,
    regex: Option<Regex>,
}

impl Matcher {
    fn new(context: &mut Context, op: TextOp, needle: &Arc<str>) -> Self {
        let regex = (op.kind == TextKind::Matches)
            .then(|| context.regex(needle))
            .flatten();
        let needle = if op.fold {
            needle.to_lowercase()
        } else {
            needle.to_string()
        };
        Self { op, needle, regex }
    }

    fn matches(&self, text: &str) -> bool {
        if self.op.kind == TextKind::Matches {
            return self
                .regex
                .as_ref()
                .is_some_and(|regex| regex.is_match(text));
        }
        if self.needle.is_empty() {
            return true;
        }
        // A text that is ASCII or has no upper case is compared without a copy.
        let ascii = self.op.fold && self.needle.is_ascii();
        let text = if self.op.fold && !ascii {
            Cow::Owned(text.to_lowercase())
        } else {
            Cow::Borrowed(text)
        };
        let (hay, needle) = (text.as_bytes(), self.needle.as_bytes());
        let equal = |at: usize| -> bool {
            hay.get(at..at + needle.len()).is_some_and(|part| {
                if ascii {
                    part.eq_ignore_ascii_case(needle)
                } else {
                    part == needle
                }
            })
        };
        match self.op.kind {
            TextKind::StartsWith => equal(0),
            TextKind::EndsWith => hay.len() >= needle.len() && equal(hay.len() - needle.len()),
            TextKind::Contains if !ascii => memchr::memmem::find(hay, needle).is_some(),
            kind => {
                let is_match = |at: usize| {
                    let end = at + needle.len();
                    equal(at)
                        && match kind {
                            TextKind::Has => is_border(&text, at) && is_border(&text, end),
                            TextKind::HasPrefix => is_border(&text, at),
                            TextKind::HasSuffix => is_border(&text, end),
                            _ => true,
                        }
                };
                let first = needle.first().copied().unwrap_or(0);
                if ascii {
                    memchr::memchr2_iter(first, first.to_ascii_uppercase(), hay).any(is_match)
                } else {
                    memchr::memchr_iter(first, hay).any(is_match)
                }
            }
        }
    }
}

/// Whether a term starts or ends at this offset: not both neighbours are letters or digits.
fn is_border(text: &str, at: usize) -> bool {
    let (Some(before), Some(after)) = (text.get(..at), text.get(at..)) else {
        return false;
    };
    let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !(inside(before.chars().next_back()) && inside(after.chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(kind: TextKind, fold: bool, text: &str, needle: &str) -> bool {
        let mut context = Context::new(0);
        Matcher::new(&mut context, TextOp { kind, fold }, &Arc::from(needle)).matches(text)
    }

    #[test]
    fn terms_are_runs_of_letters_and_digits() {
        assert!(matches(
            TextKind::Has,
            true,
            "GET /api/Orders?id=7",
            "orders"
        ));
        assert!(matches(
            TextKind::Has,
            true,
            r#"{"tenant":"t1","n":7}"#,
            "7"
        ));
        assert!(!matches(TextKind::Has, true, "Northern", "north"));
        assert!(matches(TextKind::Has, true, "x a-b y", "a-b"));
        assert!(!matches(TextKind::Has, true, "xa-b", "a-b"));
        assert!(matches(TextKind::HasPrefix, true, "a-Northern", "north"));
        assert!(matches(TextKind::HasSuffix, false, "a_b-xyz", "yz"));
        assert!(!matches(TextKind::HasSuffix, false, "xyzw", "yz"));
    }

    #[test]
    fn case_is_ignored_beyond_ascii() {
        assert!(matches(
            TextKind::Contains,
            true,
            "GRÖSSE",
            "größe".to_uppercase().as_str()
        ));
        assert!(matches(TextKind::Contains, true, "Ärger", "ärg"));
        assert!(!matches(TextKind::Contains, false, "Ärger", "ärg"));
        assert!(
            matches(TextKind::EndsWith, true, "x", "X")
                && !matches(TextKind::EndsWith, true, "", "X")
        );
    }

    #[test]
    fn an_empty_needle_is_in_every_text() {
        for kind in [TextKind::Contains, TextKind::StartsWith, TextKind::Has] {
            assert!(matches(kind, true, "", ""));
        }
    }
}
