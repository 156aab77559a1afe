//! In-memory tables with configurable push-down.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use azmon_kql::{
    Answer, Batch, CancelToken, Catalog, Column, ColumnBuilder, Error, Field, Filter, FilterOp,
    Hint, Options, Rows, ScanRequest, Table, Type, UNIX_EPOCH, Value, run,
};

/// Ticks of a minute.
pub(crate) const MINUTE: i64 = 600_000_000;
/// The time of the first row.
pub(crate) const START: i64 = UNIX_EPOCH + 20_000 * 24 * 60 * MINUTE;

/// A row of `requests`: time, name, duration, success, result, dimensions, operation.
type Row = (
    i64,
    &'static str,
    f64,
    &'static str,
    &'static str,
    String,
    String,
);

/// The rows of `requests`, in the order of time.
pub(crate) fn rows(count: usize) -> Vec<Row> {
    const NAMES: [&str; 3] = ["GET /a", "GET /b", "POST /orders"];

    (0..count)
        .map(|index| {
            let failed = index % 7 == 3;
            (
                START + i64::try_from(index).expect("a small number") * MINUTE / 4,
                NAMES[index % 3],
                f64::from(u32::try_from(index * 37 % 500).expect("a small number")) / 2.0,
                if failed { "False" } else { "True" },
                if failed { "500" } else { "200" },
                format!(r#"{{"tenant":"t{}","n":{}}}"#, index % 5, index),
                format!("op{}", index / 2),
            )
        })
        .collect()
}

/// `requests`, and the same table under the name and columns of a workspace.
pub(crate) struct Memory {
    table: Arc<Requests>,
}

pub(crate) struct Requests {
    fields: Vec<Field>,
    rows: Vec<Row>,
    /// The number of cells that scans returned.
    pub(crate) cells: AtomicUsize,
    /// The number of rows that scans returned.
    pub(crate) given: AtomicUsize,
}

impl Memory {
    pub(crate) fn new(count: usize) -> Self {
        let fields = vec![
            Field::new("timestamp", Type::DateTime).with_alias("TimeGenerated"),
            Field::new("name", Type::String).with_alias("Name"),
            Field::new("duration", Type::Real),
            Field::new("success", Type::String).lenient(),
            Field::new("resultCode", Type::String),
            Field::new("customDimensions", Type::Dynamic),
            Field::new("operation_Id", Type::String),
        ];
        Self {
            table: Arc::new(Requests {
                fields,
                rows: rows(count),
                cells: AtomicUsize::new(0),
                given: AtomicUsize::new(0),
            }),
        }
    }

    pub(crate) fn requests(&self) -> &Requests {
        &self.table
    }
}

impl Catalog for Memory {
    fn table(&self, name: &str) -> Option<Arc<dyn Table>> {
        matches!(name, "requests" | "AppRequests").then(|| self.table.clone() as Arc<dyn Table>)
    }

    fn table_names(&self) -> Vec<String> {
        vec!["requests".to_owned()]
    }

    fn scope(&self, name: &str) -> Option<Arc<dyn Catalog>> {
        (name == "here").then(|| {
            Arc::new(Self {
                table: self.table.clone(),
            }) as Arc<dyn Catalog>
        })
    }
}

fn cell(row: &Row, column: usize) -> Value {
    match column {
        0 => Value::DateTime(row.0),
        1 => Value::text(row.1),
        2 => Value::Real(row.2),
        3 => Value::text(row.3),
        4 => Value::text(row.4),
        5 => Value::text(&row.5),
        _ => Value::text(&row.6),
    }
}

fn meets(row: &Row, filter: &Filter) -> bool {
    let found = cell(row, filter.column);
    let order = |wanted: &Value| match (&found, wanted) {
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Real(a), Value::Real(b)) => a.total_cmp(b),
        other => panic!("the filter has another type than its column: {other:?}"),
    };
    filter.values.iter().any(|wanted| match filter.op {
        FilterOp::Equal | FilterOp::In => order(wanted).is_eq(),
        FilterOp::Less => order(wanted).is_lt(),
        FilterOp::LessOrEqual => order(wanted).is_le(),
        FilterOp::Greater => order(wanted).is_gt(),
        FilterOp::GreaterOrEqual => order(wanted).is_ge(),
    })
}

/// Compares the cells themselves, since JSON does not show all differences.
fn may_contain(row: &Row, hint: &Hint) -> bool {
    let cell = cell(row, hint.column).to_text().to_ascii_lowercase();
    cell.contains(&hint.text.to_ascii_lowercase())
}

impl Table for Requests {
    fn name(&self) -> &str {
        "requests"
    }

    fn schema(&self) -> &[Field] {
        &self.fields
    }

    fn time_column(&self) -> Option<usize> {
        Some(0)
    }

    fn can_filter(&self, filter: &Filter) -> bool {
        matches!(filter.column, 0..=2 | 4 | 6)
    }

    fn can_order(&self, column: usize) -> bool {
        column == 0
    }

    fn count(&self, filters: &[Filter]) -> Result<Option<u64>, Error> {
        let count = self
            .rows
            .iter()
            .filter(|row| filters.iter().all(|filter| meets(row, filter)))
            .count();
        Ok(u64::try_from(count).ok())
    }

    fn scan(&self, request: &ScanRequest) -> Result<Box<dyn Rows>, Error> {
        let mut rows: Vec<&Row> = self
            .rows
            .iter()
            .filter(|row| request.filters.iter().all(|filter| meets(row, filter)))
            .filter(|row| request.hints.iter().all(|hint| may_contain(row, hint)))
            .collect();
        if request.order.is_some_and(|order| order.descending) {
            rows.reverse();
        }
        rows.truncate(request.limit.unwrap_or(usize::MAX));
        self.given.fetch_add(rows.len(), Ordering::Relaxed);
        self.cells
            .fetch_add(rows.len() * request.columns.len(), Ordering::Relaxed);
        let batches: Vec<Batch> = rows
            .chunks(100)
            .map(|rows| {
                let columns = request.columns.iter().map(|column| match column {
                    5 => Column::from_json(
                        rows.iter().map(|row| Arc::from(row.5.as_str())).collect(),
                    ),
                    column => {
                        let mut builder = ColumnBuilder::new(self.fields[*column].ty);
                        rows.iter().for_each(|row| builder.push(cell(row, *column)));
                        builder.finish()
                    }
                });
                Batch::new(columns.collect(), rows.len())
            })
            .collect();
        Ok(Box::new(Batches(batches.into_iter())))
    }
}

struct Batches(std::vec::IntoIter<Batch>);

impl Rows for Batches {
    fn next(&mut self, _: &CancelToken) -> Result<Option<Batch>, Error> {
        Ok(self.0.next())
    }
}

/// A fixed time, some minutes after the last row of small tables.
pub(crate) fn options() -> Options {
    Options::new().with_now(START + 100 * MINUTE)
}

/// The answer as text: names, then rows with their cells.
pub(crate) fn text(answer: &Answer) -> Vec<String> {
    let names: Vec<&str> = answer.columns.iter().map(|column| &*column.name).collect();
    let mut lines = vec![names.join("|")];
    lines.extend(answer.rows().map(|row| {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Value::Null => "null".to_owned(),
                other => other.to_text().to_string(),
            })
            .collect();
        cells.join("|")
    }));
    lines
}

/// Runs a query over 200 rows, and returns the rows as text.
pub(crate) fn answer(query: &str) -> Vec<String> {
    match run(query, &Memory::new(200), &options()) {
        Ok(answer) => text(&answer).split_off(1),
        Err(error) => panic!("{query}: {error}"),
    }
}
