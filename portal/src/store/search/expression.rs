//! Conditions on items, and their evaluation.

use crate::store::Item;
use crate::store::fields::{Column, Field, FieldValue, severity_of};
use crate::store::words;

/// A condition on an item.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expression {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    /// Consecutive words; the last may be a prefix.
    Words {
        words: Vec<String>,
        is_prefix: bool,
    },
    Compare {
        field: Field,
        comparison: Comparison,
        value: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Is,
    IsNot,
    Has,
    StartsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Expression {
    pub(crate) fn matches(&self, item: &Item) -> bool {
        match self {
            Self::And(all) => all.iter().all(|part| part.matches(item)),
            Self::Or(any) => any.iter().any(|part| part.matches(item)),
            Self::Not(part) => !part.matches(item),
            Self::Words { words, is_prefix } => has_words(item, words, *is_prefix),
            Self::Compare {
                field,
                comparison,
                value,
            } => compare(field, field.of(item), *comparison, value),
        }
    }

    /// A full-text query that finds a superset of the matches; `None` if no such query exists.
    pub(crate) fn full_text(&self) -> Option<String> {
        match self {
            Self::And(all) => {
                let parts: Vec<_> = all.iter().filter_map(Self::full_text).collect();
                (!parts.is_empty()).then(|| parts.join(" AND "))
            }
            Self::Or(any) => {
                let parts: Option<Vec<_>> = any.iter().map(Self::full_text).collect();
                parts.map(|parts| format!("({})", parts.join(" OR ")))
            }
            Self::Not(_) => None,
            Self::Words { words, is_prefix } => Some(all_words(words, *is_prefix)),
            Self::Compare {
                field: Field::Key(_),
                comparison: Comparison::Is | Comparison::Has,
                value,
            } => {
                let lower = value.to_lowercase();
                let words: Vec<_> = words::split(&lower)
                    .filter(|word| word.len() <= 64)
                    .take(10)
                    .map(str::to_owned)
                    .collect();
                // A number may be a measurement, and measurements are not indexed.
                (!words.is_empty() && value.trim().parse::<f64>().is_err())
                    .then(|| all_words(&words, false))
            }
            Self::Compare { .. } => None,
        }
    }
}

fn all_words(words: &[String], is_prefix: bool) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    let star = if is_prefix { "*" } else { "" };
    format!("({}{star})", quoted.join(" AND "))
}

fn has_words(item: &Item, wanted: &[String], is_prefix: bool) -> bool {
    let mut is_found = false;
    words::visit(item.envelope(), &mut |text| {
        is_found = is_found || contains_words(text, wanted, is_prefix);
    });
    is_found
}

fn contains_words(text: &str, wanted: &[String], is_prefix: bool) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<_> = words::split(&lower).collect();
    words.windows(wanted.len().max(1)).any(|window| {
        let last = wanted.len().saturating_sub(1);
        wanted
            .iter()
            .zip(window)
            .enumerate()
            .all(|(index, (wanted, word))| {
                if is_prefix && index == last {
                    word.starts_with(wanted.as_str())
                } else {
                    *word == wanted
                }
            })
    })
}

fn compare(
    field: &Field,
    found: Option<FieldValue<'_>>,
    comparison: Comparison,
    wanted: &str,
) -> bool {
    let Some(found) = found else {
        // A missing value is an empty one.
        return match comparison {
            Comparison::Is => wanted.is_empty(),
            Comparison::IsNot => !wanted.is_empty(),
            _ => false,
        };
    };
    match comparison {
        Comparison::Is => is(field, &found, wanted),
        Comparison::IsNot => !is(field, &found, wanted),
        Comparison::Has => {
            let wanted = wanted.to_lowercase();
            let text = found.text().to_lowercase();
            text.contains(&wanted)
        }
        Comparison::StartsWith => {
            let text = found.text().to_lowercase();
            text.starts_with(&wanted.to_lowercase())
        }
        Comparison::Greater => {
            ordered(field, &found, wanted).is_some_and(std::cmp::Ordering::is_gt)
        }
        Comparison::GreaterOrEqual => {
            ordered(field, &found, wanted).is_some_and(std::cmp::Ordering::is_ge)
        }
        Comparison::Less => ordered(field, &found, wanted).is_some_and(std::cmp::Ordering::is_lt),
        Comparison::LessOrEqual => {
            ordered(field, &found, wanted).is_some_and(std::cmp::Ordering::is_le)
        }
    }
}

fn is(field: &Field, found: &FieldValue<'_>, wanted: &str) -> bool {
    match found {
        FieldValue::Number(_) => {
            ordered(field, found, wanted).is_some_and(std::cmp::Ordering::is_eq)
        }
        FieldValue::Text(text) if text.to_lowercase() == wanted.to_lowercase() => true,
        FieldValue::Text(text) => match field {
            Field::Column(Column::Success) => {
                let is_true = text == "True";
                matches!((is_true, wanted), (true, "1") | (false, "0"))
            }
            Field::Column(Column::Severity) => severity_of(text) == severity_of(wanted),
            // Clients write hexadecimal ids with or without dashes.
            Field::Column(Column::OperationId) => text
                .replace('-', "")
                .eq_ignore_ascii_case(&wanted.replace('-', "")),
            Field::Column(_) | Field::Key(_) => false,
        },
    }
}

/// Compares numbers as numbers, and other values as text.
fn ordered(field: &Field, found: &FieldValue<'_>, wanted: &str) -> Option<std::cmp::Ordering> {
    if *field == Field::Column(Column::Severity) {
        return severity_of(&found.text())?.partial_cmp(&severity_of(wanted)?);
    }
    match (found.number(), number(wanted)) {
        (Some(found), Some(wanted)) => found.partial_cmp(&wanted),
        (None, None) => Some(found.text().as_ref().cmp(wanted)),
        _ => None,
    }
}

/// A number, or a duration such as `1.5s` or `200ms` in milliseconds.
pub(crate) fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    for (unit, factor) in [("ms", 1.0), ("s", 1_000.0), ("m", 60_000.0)] {
        if let Some(number) = text.strip_suffix(unit)
            && let Ok(number) = number.trim().parse::<f64>()
        {
            return Some(number * factor);
        }
    }
    text.parse().ok()
}
