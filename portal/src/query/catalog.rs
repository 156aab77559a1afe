//! The store's items as tables of the query language.
//!
//! Name, role, result and success come from the series an item is counted in if that is exact; a request
//! without a name then has that of its operation.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use azmon_kql::{
    Batch, CancelToken, Catalog, Column, ColumnBuilder, Error, Field, Filter, FilterOp, Rows,
    ScanRequest, Table, Type, UNIX_EPOCH, Value,
};
use serde_json::Value as Json;

use super::columns::{Definition, Source, TABLES};
use super::document::Document;
use crate::store::{Dims, OTHERS, Range, Reader, State, Store, TableCursor, TableQuery, TableRow};

/// Rows whose JSON is read at once.
const BATCH: usize = 4096;
/// Columns that are picked from the text of an envelope; for more of them, it is read whole.
const MAX_PICKED: usize = 3;
/// The most rows of one table that a query reads.
const MAX_ROWS: usize = 5_000_000;
/// Ticks of a microsecond.
const TICKS: i64 = 10;

/// All tables, of one application or of all, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    state: Arc<State>,
    app: Option<String>,
}

impl Tables {
    /// The tables of the application with that key; of all if there is none of it.
    pub(crate) fn of(store: &Arc<Store>, app: &str) -> Self {
        let all = Self {
            state: Arc::new(store.state()),
            app: None,
        };
        if all.knows(app) {
            Self {
                app: Some(app.to_owned()),
                ..all
            }
        } else {
            all
        }
    }

    fn knows(&self, app: &str) -> bool {
        let known = self.state.read(|reader| {
            let mut all = reader.all_series().iter();
            Ok(all.any(|series| series.dims.app == app))
        });
        known.unwrap_or(false)
    }
}

impl Catalog for Tables {
    fn table(&self, name: &str) -> Option<Arc<dyn Table>> {
        let definition = TABLES
            .iter()
            .find(|table| table.name == name || table.workspace == name)?;
        let (fields, sources) = definition.columns(name == definition.workspace);
        Some(Arc::new(Items {
            state: Arc::clone(&self.state),
            app: self.app.clone(),
            name: name.to_owned(),
            definition,
            fields,
            sources,
        }))
    }

    fn table_names(&self) -> Vec<String> {
        TABLES.iter().map(|table| table.name.to_owned()).collect()
    }

    fn scope(&self, name: &str) -> Option<Arc<dyn Catalog>> {
        self.knows(name).then(|| {
            let tables = Self {
                state: Arc::clone(&self.state),
                app: Some(name.to_owned()),
            };
            Arc::new(tables) as Arc<dyn Catalog>
        })
    }
}

struct Items {
    state: Arc<State>,
    app: Option<String>,
    name: String,
    definition: &'static Definition,
    fields: Vec<Field>,
    sources: Vec<Source>,
}

impl Items {
    fn is_operation(&self, column: usize) -> bool {
        self.sources.get(column) == Some(&Source::Tag("ai.operation.id"))
    }

    fn query(&self, filters: &[Filter]) -> TableQuery {
        let mut query = TableQuery {
            kind: self.definition.kind,
            app: self.app.clone(),
            range: Range::ALL,
            operations: None,
            newest_first: None,
        };
        for filter in filters {
            if self.is_operation(filter.column) {
                let ids = filter.values.iter().filter_map(|value| match value {
                    Value::String(text) => Some(text.to_string()),
                    _ => None,
                });
                query.operations = Some(ids.collect());
            } else if let Some(Value::DateTime(ticks)) = filter.values.first() {
                let range = &mut query.range;
                // The first microsecond at or after the tick, and the first after it.
                let at = ticks.saturating_sub(UNIX_EPOCH);
                let (from, after) = (-(-at).div_euclid(TICKS), at.div_euclid(TICKS) + 1);
                match filter.op {
                    FilterOp::GreaterOrEqual => range.from = range.from.max(from),
                    FilterOp::Greater => range.from = range.from.max(after),
                    FilterOp::Less => range.to = range.to.min(from),
                    FilterOp::LessOrEqual => range.to = range.to.min(after),
                    FilterOp::Equal | FilterOp::In => {}
                }
            }
        }
        query
    }
}

fn failed(error: &rusqlite::Error) -> Error {
    Error::source(format!("the store cannot be read: {error}"))
}

impl Table for Items {
    fn name(&self) -> &str {
        &self.name
    }

    fn schema(&self) -> &[Field] {
        &self.fields
    }

    fn time_column(&self) -> Option<usize> {
        Some(0)
    }

    fn can_filter(&self, filter: &Filter) -> bool {
        match filter.op {
            FilterOp::Equal | FilterOp::In => {
                self.is_operation(filter.column)
                    && filter.values.iter().all(
                        |value| matches!(value, Value::String(text) if !text.trim().is_empty()),
                    )
            }
            _ => filter.column == 0,
        }
    }

    fn can_order(&self, column: usize) -> bool {
        column == 0
    }

    fn count(&self, filters: &[Filter]) -> Result<Option<u64>, Error> {
        let query = self.query(filters);
        // Operations are found by a hash, so that their items must be looked at.
        if query.operations.is_some() {
            return Ok(None);
        }
        let counted = self.state.read(|reader| reader.count_table(&query));
        counted.map(Some).map_err(|error| failed(&error))
    }

    fn scan(&self, request: &ScanRequest) -> Result<Box<dyn Rows>, Error> {
        let mut query = self.query(&request.filters);
        let operations = request
            .filters
            .iter()
            .filter(|filter| self.is_operation(filter.column));
        let operations: Vec<Vec<String>> = operations
            .map(|filter| {
                filter
                    .values
                    .iter()
                    .map(|value| value.to_text().to_string())
                    .collect()
            })
            .collect();
        query.newest_first = request.order.map(|order| order.descending);
        let limit = request.limit.filter(|_| operations.is_empty());
        let columns = request
            .columns
            .iter()
            .filter_map(|column| Some((self.fields.get(*column)?.ty, *self.sources.get(*column)?)));
        Ok(Box::new(ItemRows {
            state: Arc::clone(&self.state),
            item_type: self.definition.kind.as_str(),
            query,
            operations,
            columns: columns.collect(),
            left: limit.unwrap_or(usize::MAX),
            read: 0,
            next: Some(None),
            texts: HashMap::new(),
        }))
    }
}

/// The rows of a scan, page by page.
struct ItemRows {
    state: Arc<State>,
    item_type: &'static str,
    query: TableQuery,
    /// Conditions on the operation, to be held against the id itself.
    operations: Vec<Vec<String>>,
    columns: Vec<(Type, Source)>,
    /// Rows that are still wanted.
    left: usize,
    read: usize,
    /// Where the next page begins; `None` after the last.
    next: Option<Option<TableCursor>>,
    /// Texts of series by the number of the series and of the column: the same text at the same address is grouped fast.
    texts: HashMap<(i64, usize), Value>,
}

impl ItemRows {
    fn page(&mut self) -> Result<Option<Batch>, Error> {
        let Some(after) = self.next.filter(|_| self.left > 0) else {
            return Ok(None);
        };
        let limit = BATCH.min(self.left);
        let state = Arc::clone(&self.state);
        let batch = state.read(|reader| {
            let (rows, next) = reader.table(&self.query, after, limit)?;
            self.next = next.map(Some);
            self.left -= rows.len();
            self.read += rows.len();
            self.batch(reader, &rows)
        });
        let batch = batch.map_err(|error| failed(&error))?;
        if self.read > MAX_ROWS {
            return Err(Error::source(format!(
                "the query reads more than {MAX_ROWS} rows of a table"
            )));
        }
        Ok(Some(batch))
    }

    fn batch(&mut self, reader: &Reader, rows: &[TableRow]) -> rusqlite::Result<Batch> {
        let mut builders: Vec<Builder> = self
            .columns
            .iter()
            .map(|(ty, _)| Builder::new(*ty))
            .collect();
        let dims = |row: &TableRow| {
            let series = reader.series(row.series).map(|series| &series.dims);
            series.filter(|dims| is_exact(dims))
        };
        let from_json = |(_, source): &&(Type, Source)| needs_json(*source);
        let is_always_read = !self.operations.is_empty()
            || self
                .columns
                .iter()
                .filter(from_json)
                .any(|(_, source)| !is_dimension(*source));
        let is_read = is_always_read
            || (self.columns.iter().any(|column| from_json(&column))
                && rows.iter().any(|row| dims(row).is_none()));
        let mut count = 0;
        if is_read {
            let many = self.columns.iter().filter(from_json).count() > MAX_PICKED;
            let mut visit = |row: &TableRow, json: &str| {
                let document = Document::new(json, many);
                let is_one = |ids: &Vec<String>| {
                    let id = document.text(&["tags", "ai.operation.id"]);
                    ids.contains(&id)
                };
                if self.operations.iter().all(is_one) {
                    let series = dims(row).filter(|_| !is_always_read);
                    for (column, builder) in builders.iter_mut().enumerate() {
                        push(
                            (&self.columns, column, &mut self.texts, self.item_type),
                            row,
                            (series, Some(&document)),
                            builder,
                        );
                    }
                    count += 1;
                }
                ControlFlow::Continue(())
            };
            reader.each_json(rows, &mut visit)?;
        } else {
            for row in rows {
                let series = dims(row);
                for (column, builder) in builders.iter_mut().enumerate() {
                    push(
                        (&self.columns, column, &mut self.texts, self.item_type),
                        row,
                        (series, None),
                        builder,
                    );
                }
            }
            count = rows.len();
        }
        let columns = builders.into_iter().map(Builder::finish);
        Ok(Batch::new(columns.collect(), count))
    }
}

impl Rows for ItemRows {
    fn next(&mut self, cancel: &CancelToken) -> Result<Option<Batch>, Error> {
        loop {
            if cancel.is_cancelled() {
                return Ok(None);
            }
            // A page without a match is not the end.
            match self.page()? {
                Some(batch) if batch.rows() == 0 => {}
                other => return Ok(other),
            }
        }
    }
}

/// Collects a column; JSON as it stands in the envelope.
enum Builder {
    Values(ColumnBuilder),
    Json(Vec<Arc<str>>),
}

impl Builder {
    fn new(ty: Type) -> Self {
        if ty == Type::Dynamic {
            Self::Json(Vec::new())
        } else {
            Self::Values(ColumnBuilder::new(ty))
        }
    }

    fn push(&mut self, value: Value) {
        match self {
            Self::Values(builder) => builder.push(value),
            Self::Json(texts) => texts.push(Arc::from(&*value.to_text())),
        }
    }

    fn push_text(&mut self, text: &str) {
        match self {
            Self::Values(builder) => builder.push_text(text),
            Self::Json(texts) => texts.push(Arc::from(text)),
        }
    }

    fn push_long(&mut self, number: i64) {
        match self {
            Self::Values(builder) => builder.push_long(number),
            Self::Json(texts) => texts.push(Arc::from(number.to_string())),
        }
    }

    fn push_null(&mut self) {
        match self {
            Self::Values(builder) => builder.push_null(),
            Self::Json(texts) => texts.push(Arc::from("")),
        }
    }

    fn finish(self) -> Column {
        match self {
            Self::Values(builder) => builder.finish(),
            Self::Json(texts) => Column::from_json(texts),
        }
    }
}

/// Columns, the one that is meant, texts of series, and the value of `itemType`.
type Target<'a> = (
    &'a [(Type, Source)],
    usize,
    &'a mut HashMap<(i64, usize), Value>,
    &'static str,
);

/// Adds the value of a row to a column: of its series where that is exact, else of its JSON.
fn push(
    (columns, column, texts, item_type): Target<'_>,
    row: &TableRow,
    (series, document): (Option<&Dims>, Option<&Document<'_>>),
    builder: &mut Builder,
) {
    let Some((ty, source)) = columns.get(column).copied() else {
        return;
    };
    if let Some(text) = series.and_then(|dims| dimension(dims, source)) {
        let value = texts
            .entry((row.series, column))
            .or_insert_with(|| Value::text(text));
        return builder.push(value.clone());
    }
    let text = |path: &[&str]| document.map_or_else(String::new, |document| document.text(path));
    match source {
        Source::Timestamp => {
            builder.push_long(row.time.saturating_mul(TICKS).saturating_add(UNIX_EPOCH))
        }
        Source::ItemType => builder.push_text(item_type),
        Source::ItemId => builder.push_text(&row.id.to_string()),
        Source::ItemCount => builder.push_long(row.weight),
        Source::Duration => match row.duration {
            Some(duration) => builder.push(Value::Real(milliseconds(duration))),
            None => builder.push_null(),
        },
        Source::PerformanceBucket => builder.push_text(row.duration.map_or("", bucket)),
        Source::Success(path) => {
            let is_failed = text(&of_data(path)).eq_ignore_ascii_case("false");
            builder.push_text(if is_failed { "False" } else { "True" });
        }
        Source::Data(path) => {
            let path = of_data(path);
            match (ty, document) {
                (_, None) => builder.push_null(),
                (Type::Dynamic, Some(document)) => match document.json(&path) {
                    Some(json) => builder.push_text(&json),
                    None => builder.push_null(),
                },
                (_, Some(document)) => match document.value(&path) {
                    Some(value) => push_json(&value, ty, builder),
                    None => builder.push_null(),
                },
            }
        }
        Source::Tag(key) => builder.push_text(&text(&["tags", key])),
        Source::InstrumentationKey => builder.push_text(&text(&["iKey"])),
        Source::Nothing => builder.push_null(),
    }
}

fn of_data(path: &'static [&'static str]) -> Vec<&'static str> {
    ["data", "baseData"]
        .into_iter()
        .chain(path.iter().copied())
        .collect()
}

const NAME: Source = Source::Data(&["name"]);
const SUCCESS: Source = Source::Success(&["success"]);
const ROLE: Source = Source::Tag("ai.cloud.role");
const REQUEST_RESULT: Source = Source::Data(&["responseCode"]);
const RESULT: Source = Source::Data(&["resultCode"]);

/// Whether the store counts by this column, so that its value is known without the JSON.
fn is_dimension(source: Source) -> bool {
    [
        NAME,
        SUCCESS,
        ROLE,
        REQUEST_RESULT,
        RESULT,
        Source::InstrumentationKey,
    ]
    .contains(&source)
}

/// Whether the texts of the series are those of its items: neither cut nor counted together.
fn is_exact(dims: &Dims) -> bool {
    const SHORTEST_CUT: usize = 64;

    let texts = [&dims.app, &dims.role, &dims.name, &dims.result];
    !dims.is_browser
        && texts
            .into_iter()
            .all(|text| text.len() < SHORTEST_CUT && text != OTHERS)
}

fn dimension(dims: &Dims, source: Source) -> Option<&str> {
    Some(match source {
        NAME => &dims.name,
        ROLE => &dims.role,
        REQUEST_RESULT | RESULT => &dims.result,
        Source::InstrumentationKey => &dims.app,
        SUCCESS => match dims.success? {
            true => "True",
            false => "False",
        },
        _ => return None,
    })
}

fn needs_json(source: Source) -> bool {
    matches!(
        source,
        Source::Data(_) | Source::Success(_) | Source::Tag(_) | Source::InstrumentationKey
    )
}

fn push_json(value: &Json, ty: Type, builder: &mut Builder) {
    match (ty, value) {
        (_, Json::Null) => builder.push_null(),
        (Type::Int, Json::String(level)) => match severity(level) {
            Some(level) => builder.push_long(level),
            None => builder.push(Value::text(level)),
        },
        (_, Json::String(text)) => builder.push_text(text),
        (_, other) => builder.push(Value::text(other.to_string())),
    }
}

fn severity(name: &str) -> Option<i64> {
    const LEVELS: [&str; 5] = ["Verbose", "Information", "Warning", "Error", "Critical"];

    let level = LEVELS
        .iter()
        .position(|level| level.eq_ignore_ascii_case(name))?;
    i64::try_from(level).ok()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "durations are far below 2^53 microseconds"
)]
fn milliseconds(micros: i64) -> f64 {
    micros as f64 / 1000.0
}

/// The bucket that Application Insights shows for a duration in microseconds.
fn bucket(micros: i64) -> &'static str {
    const BUCKETS: [(i64, &str); 10] = [
        (250, "<250ms"),
        (500, "250ms-500ms"),
        (1_000, "500ms-1sec"),
        (3_000, "1sec-3sec"),
        (7_000, "3sec-7sec"),
        (15_000, "7sec-15sec"),
        (30_000, "15sec-30sec"),
        (60_000, "30sec-1min"),
        (120_000, "1min-2min"),
        (300_000, "2min-5min"),
    ];
    let below = BUCKETS.iter().find(|(bound, _)| micros < bound * 1000);
    below.map_or(">=5min", |(_, name)| name)
}
