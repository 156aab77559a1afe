//! The interface to the tables that a query reads.

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use crate::batch::Batch;
use crate::error::Error;
use crate::options::CancelToken;
use crate::types::Field;
use crate::value::Value;

/// The tables that queries can refer to.
pub trait Catalog: Send + Sync {
    /// Finds a table by any of its names.
    fn table(&self, name: &str) -> Option<Arc<dyn Table>>;

    /// All table names, for wildcards, `search` and suggestions. A table with two names is listed once.
    fn table_names(&self) -> Vec<String>;

    /// The tables of another application or workspace, which `app("…")`, `workspace("…")` or `resource("…")`
    /// refers to.
    fn scope(&self, name: &str) -> Option<Arc<dyn Catalog>> {
        let _ = name;
        None
    }
}

/// A table: a schema and rows.
pub trait Table: Send + Sync {
    /// The name that `$table` and `withsource` show.
    fn name(&self) -> &str;

    /// The columns, in order.
    fn schema(&self) -> &[Field];

    /// The index in [`schema`](Self::schema) of the column to which the time range of the options applies.
    fn time_column(&self) -> Option<usize> {
        None
    }

    /// Whether [`scan`](Self::scan) applies this filter exactly.
    ///
    /// Only such filters are passed to `scan`.
    fn can_filter(&self, filter: &Filter) -> bool {
        let _ = filter;
        false
    }

    /// Whether [`scan`](Self::scan) returns rows in the order of this column, with nulls first if ascending and
    /// last if descending.
    fn can_order(&self, column: usize) -> bool {
        let _ = column;
        false
    }

    /// The number of rows that pass the filters, if it is known without reading them.
    ///
    /// # Errors
    ///
    /// If the table cannot be read.
    fn count(&self, filters: &[Filter]) -> Result<Option<u64>, Error> {
        let _ = filters;
        Ok(None)
    }

    /// Starts a scan.
    ///
    /// # Errors
    ///
    /// If the table cannot be read.
    fn scan(&self, request: &ScanRequest) -> Result<Box<dyn Rows>, Error>;
}

/// The rows of a scan.
pub trait Rows: Send {
    /// The next rows, a few thousand at a time; `None` after the last.
    ///
    /// # Errors
    ///
    /// If the table cannot be read.
    fn next(&mut self, cancel: &CancelToken) -> Result<Option<Batch>, Error>;
}

/// The request for a scan.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ScanRequest {
    /// The indices of the columns that the batches must contain, in this order.
    pub columns: Vec<usize>,
    /// Conditions that every row must meet. [`Table::can_filter`] has accepted each of them.
    pub filters: Vec<Filter>,
    /// Texts that all matching rows contain. A scan may omit rows without them, but need not: the query checks its
    /// conditions again.
    pub hints: Vec<Hint>,
    /// The number of rows after which the scan may end, counted after filters and order.
    pub limit: Option<usize>,
    /// The order of the rows. [`Table::can_order`] has accepted the column.
    pub order: Option<ScanOrder>,
}

/// The order of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanOrder {
    /// The index of the column.
    pub column: usize,
    /// Whether the order is descending.
    pub descending: bool,
}

impl ScanOrder {
    pub(crate) fn new(column: usize, descending: bool) -> Self {
        Self { column, descending }
    }
}

/// A condition on one column. A null value never meets it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Filter {
    /// The index of the column in the table's schema.
    pub column: usize,
    /// The comparison.
    pub op: FilterOp,
    /// The constant, or the constants of [`FilterOp::In`]. They have the column's type, and are never null.
    pub values: Vec<Value>,
}

impl Filter {
    pub(crate) fn new(column: usize, op: FilterOp, values: Vec<Value>) -> Self {
        Self { column, op, values }
    }
}

/// The comparison of a [`Filter`]. Strings are compared byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterOp {
    /// `==`
    Equal,
    /// One of the values.
    In,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// A text that the value of a column contains in every matching row, regardless of the case of ASCII letters.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Hint {
    /// The index of the column in the table's schema, of type string or dynamic.
    pub column: usize,
    /// The text: at least three ASCII letters and digits.
    pub text: Arc<str>,
    regex: Regex,
}

impl Hint {
    /// The minimum length of a useful text.
    const SHORTEST: usize = 3;

    /// `None` if the text is not suitable for a hint.
    pub(crate) fn new(column: usize, text: &Arc<str>) -> Option<Self> {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if text.len() < Self::SHORTEST || !is_plain {
            return None;
        }
        let regex = RegexBuilder::new(text)
            .case_insensitive(true)
            .unicode(false)
            .build()
            .ok()?;
        Some(Self {
            column,
            text: Arc::clone(text),
            regex,
        })
    }

    /// Whether a string of this JSON may contain the text, plain or escaped.
    #[must_use]
    pub fn may_be_in_json(&self, json: &str) -> bool {
        self.regex.is_match(json.as_bytes())
            || memchr::memmem::find(json.as_bytes(), br"\u").is_some()
    }
}

/// A catalog without tables, for queries over `datatable`, `print` and `range`.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoTables;

impl Catalog for NoTables {
    fn table(&self, _: &str) -> Option<Arc<dyn Table>> {
        None
    }

    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(text: &str) -> Option<Hint> {
        Hint::new(0, &Arc::from(text))
    }

    #[test]
    fn a_hint_is_three_ascii_letters_and_digits_or_more() {
        for text in ["abc", "0042", "Declined"] {
            assert!(hint(text).is_some(), "{text}");
        }
        for text in ["", "ab", "a-bc", "a b", "für", "\u{212a}elvin"] {
            assert!(hint(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_text_may_be_in_json_in_any_case_and_escaped() {
        let declined = hint("declined").unwrap();
        for (json, may_be) in [
            (r#"{"m":"card declined"}"#, true),
            (r#"{"m":"CardDeclined"}"#, true),
            (r#"{"m":"\u0064eclined"}"#, true),
            (r#"{"m":"card\ndecline"}"#, false),
            ("", false),
        ] {
            assert_eq!(declined.may_be_in_json(json), may_be, "{json}");
        }
        // The Kelvin sign is a K only with Unicode's rules, which the operators do not follow for ASCII texts.
        assert!(!hint("kelvin").unwrap().may_be_in_json("\u{212a}elvin"));
    }
}
