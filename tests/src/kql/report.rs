//! Runs cases, and reports differences.

use std::fmt;

use azmon_kql::{NoTables, Options, Value};

use super::case::Case;
use super::compare::same_cell;

/// The maximum number of rows in a report.
const SHOWN_ROWS: usize = 8;

/// The outcome of one case.
#[derive(Debug)]
pub struct Outcome {
    /// The case.
    pub id: String,
    /// Its tier.
    pub tier: u8,
    /// The difference; `None` if the case passed.
    pub difference: Option<String>,
}

/// The outcomes of all cases.
#[derive(Debug)]
pub struct Report {
    /// In the order of the file.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// Runs the cases.
    #[must_use]
    pub fn of(cases: &[Case]) -> Self {
        let outcomes = cases.iter().map(|case| Outcome {
            id: case.id.clone(),
            tier: case.tier,
            difference: difference(case),
        });
        Self {
            outcomes: outcomes.collect(),
        }
    }

    /// The number of cases of tiers 1 and 2 that passed.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.counted()
            .filter(|outcome| outcome.difference.is_none())
            .count()
    }

    /// The cases of tiers 1 and 2 that failed.
    #[must_use]
    pub fn failed(&self) -> usize {
        self.counted()
            .filter(|outcome| outcome.difference.is_some())
            .count()
    }

    fn counted(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes
            .iter()
            .filter(|outcome| matches!(outcome.tier, 1 | 2))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for outcome in &self.outcomes {
            if let Some(difference) = &outcome.difference {
                writeln!(f, "{} (tier {}): {difference}", outcome.id, outcome.tier)?;
            }
        }
        write!(f, "{} passed, {} failed", self.passed(), self.failed())
    }
}

fn difference(case: &Case) -> Option<String> {
    let answer = match azmon_kql::run(&case.query, &NoTables, &Options::new()) {
        Ok(answer) => answer,
        Err(error) => return Some(format!("refused: {error}\n  query: {}", case.query)),
    };
    let names: Vec<&str> = answer.columns.iter().map(|column| &*column.name).collect();
    let same_names = names.len() == case.expected_columns.len()
        && case
            .expected_columns
            .iter()
            .zip(&names)
            .all(|(expected, name)| {
                expected
                    .name
                    .as_deref()
                    .is_none_or(|expected| expected == *name)
            });
    if !same_names {
        let expected: Vec<&str> = case
            .expected_columns
            .iter()
            .map(|column| column.name.as_deref().unwrap_or("*"))
            .collect();
        return Some(format!(
            "columns {names:?}, expected {expected:?}\n  query: {}",
            case.query
        ));
    }
    let rows: Vec<Vec<Value>> = answer.rows().collect();
    let matches = if case.ordered {
        rows.len() == case.expected_rows.len()
            && case
                .expected_rows
                .iter()
                .zip(&rows)
                .all(|(expected, row)| same_row(case, expected, row))
    } else {
        same_rows(case, &rows)
    };
    if matches {
        return None;
    }
    let shown: Vec<String> = rows.iter().take(SHOWN_ROWS).map(|row| show(row)).collect();
    let expected: Vec<String> = case
        .expected_rows
        .iter()
        .take(SHOWN_ROWS)
        .map(|row| serde_json::Value::from(row.clone()).to_string())
        .collect();
    Some(format!(
        "{} rows [{}], expected {} [{}]\n  query: {}",
        rows.len(),
        shown.join(" "),
        case.expected_rows.len(),
        expected.join(" "),
        case.query
    ))
}

fn same_row(case: &Case, expected: &[serde_json::Value], row: &[Value]) -> bool {
    expected.len() == row.len()
        && case
            .expected_columns
            .iter()
            .zip(expected)
            .zip(row)
            .all(|((column, expected), cell)| same_cell(expected, cell, column.ty.as_deref()))
}

/// Whether the rows equal the expected ones, in any order.
fn same_rows(case: &Case, rows: &[Vec<Value>]) -> bool {
    if rows.len() != case.expected_rows.len() {
        return false;
    }
    let mut left: Vec<&Vec<Value>> = rows.iter().collect();
    case.expected_rows.iter().all(|expected| {
        let found = left.iter().position(|row| same_row(case, expected, row));
        found.map(|at| left.swap_remove(at)).is_some()
    })
}

fn show(row: &[Value]) -> String {
    let cells: Vec<String> = row
        .iter()
        .map(|cell| match cell {
            Value::Null => "null".to_owned(),
            Value::String(text) => format!("{text:?}"),
            other => other.to_text().to_string(),
        })
        .collect();
    format!("[{}]", cells.join(", "))
}
