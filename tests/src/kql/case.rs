//! One case, stored as one JSON object per line.

use serde::Deserialize;
use serde_json::Value;

/// A query and its answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Case {
    /// Identifies the case in a file.
    pub id: String,
    /// Cases of tiers 1 and 2 must pass; tier 3 is not counted.
    pub tier: u8,
    /// The query.
    pub query: String,
    /// The columns, in order.
    pub expected_columns: Vec<ExpectedColumn>,
    /// The rows, a cell for each column.
    pub expected_rows: Vec<Vec<Value>>,
    /// Whether the order of the rows matters.
    #[serde(default)]
    pub ordered: bool,
}

/// A column of the answer.
#[derive(Debug, Clone, Deserialize)]
pub struct ExpectedColumn {
    /// The name; `None` accepts any name.
    pub name: Option<String>,
    /// The type, for reading the cells.
    #[serde(rename = "type")]
    pub ty: Option<String>,
}

impl Case {
    /// Reads a file of cases; empty lines are skipped.
    ///
    /// # Errors
    ///
    /// If a line is not a case: its number, and the parse error.
    pub fn parse_all(text: &str) -> Result<Vec<Self>, (usize, serde_json::Error)> {
        text.lines()
            .enumerate()
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(index, line)| serde_json::from_str(line).map_err(|error| (index + 1, error)))
            .collect()
    }
}
