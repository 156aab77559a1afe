//! A search as a query, for the editor and for Azure.
//!
//! A word is looked for in every column, and a phrase as its words, so the query may return more than the search.

use super::columns::{Definition, TABLES};
use crate::store::ItemFilter;
use crate::store::fields::{Column, Field, severity_of};
use crate::store::search::{Comparison, Expression, number};

/// The query of a search, without its time range.
pub(super) fn query_of(filter: &ItemFilter) -> String {
    let tables = Searched(
        TABLES
            .iter()
            .filter(|table| filter.kinds.is_empty() || filter.kinds.contains(&table.kind))
            .collect(),
    );
    let mut lines = vec![tables.source()];
    let mut keep = |condition: String| lines.push(format!("| where {condition}"));
    if !filter.roles.is_empty() {
        let roles: Vec<_> = filter.roles.iter().map(|role| literal(role)).collect();
        keep(format!("cloud_RoleName in ({})", roles.join(", ")));
    }
    for (names, value) in [
        (["name", "problemId"].as_slice(), &filter.name),
        (&["target"], &filter.target),
        (&["type"], &filter.type_name),
    ] {
        if let Some(value) = value {
            keep(format!("{} == {}", tables.text(names), literal(value)));
        }
    }
    for (operator, limit) in [(">=", filter.duration.0), ("<", filter.duration.1)] {
        if let Some(limit) = limit {
            let milliseconds = limit as f64 / 1_000.0;
            keep(format!(
                "{} {operator} {milliseconds}",
                tables.number("duration")
            ));
        }
    }
    let own = filter.expression.iter();
    for expression in own.chain(filter.filters.iter().map(|(_, filter)| filter)) {
        let operator = if has_words(expression) {
            "search"
        } else {
            "where"
        };
        lines.push(format!("| {operator} {}", tables.condition(expression)));
    }
    lines.push("| order by timestamp desc".to_owned());
    lines.join("\n")
}

fn has_words(expression: &Expression) -> bool {
    match expression {
        Expression::And(parts) | Expression::Or(parts) => parts.iter().any(has_words),
        Expression::Not(part) => has_words(part),
        Expression::Words { .. } => true,
        Expression::Compare { .. } => false,
    }
}

/// The tables that a search reads.
struct Searched(Vec<&'static Definition>);

impl Searched {
    fn source(&self) -> String {
        let names: Vec<_> = self.0.iter().map(|table| table.name).collect();
        match names.as_slice() {
            [name] => (*name).to_owned(),
            names => format!("union {}", names.join(", ")),
        }
    }

    fn has(&self, column: &str) -> bool {
        self.0.iter().any(|table| {
            let (fields, _) = table.columns(false);
            fields.iter().any(|field| &*field.name == column)
        })
    }

    /// The first of these columns with a value.
    fn text(&self, names: &[&str]) -> String {
        let known: Vec<_> = names
            .iter()
            .copied()
            .filter(|name| self.has(name))
            .collect();
        match known.as_slice() {
            [] => names.first().map_or_else(String::new, |name| {
                format!("column_ifexists(\"{name}\", \"\")")
            }),
            [name] => (*name).to_owned(),
            names => format!("coalesce({})", names.join(", ")),
        }
    }

    fn number(&self, name: &str) -> String {
        if self.has(name) {
            name.to_owned()
        } else {
            format!("column_ifexists(\"{name}\", real(null))")
        }
    }

    fn condition(&self, expression: &Expression) -> String {
        match expression {
            Expression::And(parts) => self.joined(parts, " and "),
            Expression::Or(parts) => self.joined(parts, " or "),
            Expression::Not(part) => format!("not({})", self.condition(part)),
            Expression::Words { words, is_prefix } => {
                let last = words.len().saturating_sub(1);
                let words = words.iter().enumerate().map(|(index, word)| {
                    let star = if *is_prefix && index == last { "*" } else { "" };
                    literal(&format!("{word}{star}"))
                });
                let words: Vec<_> = words.collect();
                match words.as_slice() {
                    [word] => word.clone(),
                    words => format!("({})", words.join(" and ")),
                }
            }
            Expression::Compare {
                field,
                comparison,
                value,
            } => self.compared(field, *comparison, value),
        }
    }

    fn joined(&self, parts: &[Expression], operator: &str) -> String {
        let parts: Vec<_> = parts.iter().map(|part| self.condition(part)).collect();
        format!("({})", parts.join(operator))
    }

    fn compared(&self, field: &Field, comparison: Comparison, value: &str) -> String {
        let wanted = match field {
            Field::Column(Column::Severity) => severity_of(value),
            Field::Column(Column::Duration | Column::Value) => number(value),
            Field::Key(_) => number(value),
            // Other columns are texts, which are only ordered as numbers.
            Field::Column(_) if is_order(comparison) => number(value),
            Field::Column(_) => None,
        };
        match (wanted, comparison) {
            (Some(wanted), comparison) if is_order(comparison) || is_equality(comparison) => {
                format!("{} {} {wanted}", self.as_number(field), numeric(comparison))
            }
            _ => {
                let text = self.as_text(field);
                match comparison {
                    Comparison::Is if value.is_empty() => format!("isempty({text})"),
                    Comparison::IsNot if value.is_empty() => format!("isnotempty({text})"),
                    comparison if is_order(comparison) => {
                        let operator = numeric(comparison);
                        format!("strcmp({text}, {}) {operator} 0", literal(value))
                    }
                    comparison => {
                        let operator = textual(comparison);
                        format!("{text} {operator} {}", literal(said(field, value)))
                    }
                }
            }
        }
    }

    fn as_number(&self, field: &Field) -> String {
        match field {
            Field::Column(Column::Severity) => self.number("severityLevel"),
            Field::Column(Column::Duration) => self.number("duration"),
            Field::Column(Column::Value) => self.number("value"),
            Field::Column(_) | Field::Key(_) => format!("todouble({})", self.as_text(field)),
        }
    }

    fn as_text(&self, field: &Field) -> String {
        match field {
            Field::Key(key) => {
                let key = literal(key);
                let property = format!("tostring(customDimensions[{key}])");
                if self.has("customMeasurements") {
                    format!("coalesce({property}, tostring(customMeasurements[{key}]))")
                } else {
                    property
                }
            }
            Field::Column(column @ (Column::Severity | Column::Duration | Column::Value)) => {
                format!("tostring({})", self.as_number(&Field::Column(*column)))
            }
            Field::Column(Column::Data) => self.text(&["url", "data"]),
            Field::Column(column) => self.text(&[name_of(*column)]),
        }
    }
}

/// The name of a column of texts in the tables.
fn name_of(column: Column) -> &'static str {
    match column {
        Column::Role => "cloud_RoleName",
        Column::Instance => "cloud_RoleInstance",
        Column::Version => "application_Version",
        Column::User => "user_Id",
        Column::Session => "session_Id",
        Column::Severity => "severityLevel",
        other => other.name(),
    }
}

/// A value as the tables have it.
fn said<'a>(field: &Field, value: &'a str) -> &'a str {
    match (field, value) {
        (Field::Column(Column::Success), "1") => "True",
        (Field::Column(Column::Success), "0") => "False",
        _ => value,
    }
}

const fn is_order(comparison: Comparison) -> bool {
    matches!(
        comparison,
        Comparison::Greater
            | Comparison::GreaterOrEqual
            | Comparison::Less
            | Comparison::LessOrEqual
    )
}

const fn is_equality(comparison: Comparison) -> bool {
    matches!(comparison, Comparison::Is | Comparison::IsNot)
}

const fn numeric(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::IsNot => "!=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Is | Comparison::Has | Comparison::StartsWith => "==",
    }
}

const fn textual(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::IsNot => "!~",
        Comparison::Has => "contains",
        Comparison::StartsWith => "startswith",
        _ => "=~",
    }
}

fn literal(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for character in text.chars() {
        match character {
            '"' => written.push_str("\\\""),
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            other => written.push(other),
        }
    }
    written.push('"');
    written
}
