//! The tables that a query reads, behind a trait.

use std::sync::Arc;

use crate::column::Batch;
use crate::error::Error;
use crate::options::CancelToken;
use crate::types::Field;
use crate::value::Value;

/// The tables that a query can name.
pub trait Catalog: Send + Sync {
    /// The table of that name, in any of its names.
    fn table(&self, name: &str) -> Option<Arc<dyn Table>>;

    /// All names, for wildcards, `search` and suggestions. A table under two names is listed once.
    fn table_names(&self) -> Vec<String>;

    /// The tables of another application or workspace, which `app("…")`, `workspace("…")` and
    /// `resource("…")` name.
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

    /// The column of [`schema`](Self::schema) to which a time range from outside the query applies.
    fn time_column(&self) -> Option<usize> {
        None
    }

    /// Whether [`scan`](Self::scan) applies this filter exactly.
    ///
    /// Other filters are not handed over.
    fn can_filter(&self, filter: &Filter) -> bool {
        let _ = filter;
        false
    }

    /// Whether [`scan`](Self::scan) gives rows in the order of this column, nulls first if ascending
    /// and last if descending.
    fn can_order(&self, column: usize) -> bool {
        let _ = column;
        false
    }

    /// Rows that pass the filters, if that is known without reading them.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    fn count(&self, filters: &[Filter]) -> Result<Option<u64>, Error> {
        let _ = filters;
        Ok(None)
    }

    /// Begins to read.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    fn scan(&self, request: &ScanRequest) -> Result<Box<dyn Rows>, Error>;
}

/// The rows of a scan.
pub trait Rows: Send {
    /// The next rows, some thousand at a time; `None` after the last.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    fn next(&mut self, cancel: &CancelToken) -> Result<Option<Batch>, Error>;
}

/// What a query needs of a table.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ScanRequest {
    /// Indices of the columns that the batches must have, in this order, and no others.
    pub columns: Vec<usize>,
    /// Conditions that every row must meet; only such as [`Table::can_filter`] accepted.
    pub filters: Vec<Filter>,
    /// Rows after which the scan may end. Applied after filters and order.
    pub limit: Option<usize>,
    /// The order of the rows; only of columns that [`Table::can_order`] accepted.
    pub order: Option<ScanOrder>,
}

/// The order of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScanOrder {
    /// Index of the column.
    pub column: usize,
    /// Whether the largest comes first.
    pub descending: bool,
}

impl ScanOrder {
    pub(crate) fn new(column: usize, descending: bool) -> Self {
        Self { column, descending }
    }
}

/// A condition on one column. A null never meets it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Filter {
    /// Index of the column in the table's schema.
    pub column: usize,
    /// How it is compared.
    pub op: FilterOp,
    /// The constant, or the constants of [`FilterOp::In`]; of the column's type, never null.
    pub values: Vec<Value>,
}

impl Filter {
    pub(crate) fn new(column: usize, op: FilterOp, values: Vec<Value>) -> Self {
        Self { column, op, values }
    }
}

/// How a [`Filter`] compares; texts byte by byte.
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
