//! The tables of the query language over the store's items.
//!
//! Name, role, result and success come from the item's series if the series is exact. A request without a name
//! has the name of its operation.

use std::ops::ControlFlow;
use std::sync::Arc;

use azmon_kql::{
    Batch, CancelToken, Catalog, Column, ColumnBuilder, Error, Field, Filter, FilterOp, Rows,
    ScanRequest, Table, Type, UNIX_EPOCH, Value,
};
use serde_json::Value as Json;

use super::columns::{Definition, Source, TABLES};
use crate::store::{Dims, OTHERS, Range, Reader, Store, TableQuery, TableRow};

/// The number of rows whose JSON is read together.
const BATCH: usize = 4096;
/// The maximum number of rows of one table that a query reads.
const MAX_ROWS: usize = 5_000_000;
/// Ticks in a microsecond.
const TICKS: i64 = 10;

/// The tables of one application or of all applications.
#[derive(Debug, Clone)]
pub(super) struct Tables {
    store: Arc<Store>,
    app: Option<String>,
}

impl Tables {
    /// The tables of the application with this key, or of all applications if none has it.
    pub(super) fn of(store: &Arc<Store>, app: &str) -> Self {
        let all = Self {
            store: Arc::clone(store),
            app: None,
        };
        match all.knows(app) {
            true => Self {
                app: Some(app.to_owned()),
                ..all
            },
            false => all,
        }
    }

    fn knows(&self, app: &str) -> bool {
        let known = self
            .store
            .read_now(|reader: &Reader| -> rusqlite::Result<bool> {
                Ok(reader
                    .all_series()
                    .iter()
                    .any(|series| series.dims.app == app))
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
            store: Arc::clone(&self.store),
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
                store: Arc::clone(&self.store),
                app: Some(name.to_owned()),
            };
            Arc::new(tables) as Arc<dyn Catalog>
        })
    }
}

struct Items {
    store: Arc<Store>,
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
            limit: MAX_ROWS + 1,
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
        let query = TableQuery {
            limit: usize::MAX,
            ..self.query(filters)
        };
        // Operations are found by a hash, so the id of each row must be compared.
        if query.operations.is_some() {
            return Ok(None);
        }
        let counted = self
            .store
            .read_now(|reader: &Reader| -> rusqlite::Result<u64> {
                let mut count = 0;
                reader.table(&query, &mut |_| {
                    count += 1;
                    ControlFlow::Continue(())
                })?;
                Ok(count)
            });
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
        if let (Some(limit), true) = (request.limit, operations.is_empty()) {
            query.limit = query.limit.min(limit);
        }
        let columns = request
            .columns
            .iter()
            .filter_map(|column| Some((self.fields.get(*column)?.ty, *self.sources.get(*column)?)));
        Ok(Box::new(ItemRows {
            store: Arc::clone(&self.store),
            item_type: self.definition.kind.as_str(),
            query,
            operations,
            columns: columns.collect(),
            rows: None,
        }))
    }
}

/// The rows of a scan. The narrow rows are read at its start.
struct ItemRows {
    store: Arc<Store>,
    item_type: &'static str,
    query: TableQuery,
    /// Conditions on the operation id, compared with the id itself.
    operations: Vec<Vec<String>>,
    columns: Vec<(Type, Source)>,
    rows: Option<std::vec::IntoIter<TableRow>>,
}

impl ItemRows {
    fn begin(&self, cancel: &CancelToken) -> Result<std::vec::IntoIter<TableRow>, Error> {
        let mut rows = Vec::new();
        let read = self
            .store
            .read_now(|reader: &Reader| -> rusqlite::Result<()> {
                reader.table(&self.query, &mut |row| {
                    rows.push(row);
                    match cancel.is_cancelled() {
                        true => ControlFlow::Break(()),
                        false => ControlFlow::Continue(()),
                    }
                })
            });
        read.map_err(|error| failed(&error))?;
        if rows.len() > MAX_ROWS {
            return Err(Error::source(format!(
                "the query reads more than {MAX_ROWS} rows of a table"
            )));
        }
        Ok(rows.into_iter())
    }

    fn batch(&self, reader: &Reader, rows: &[TableRow]) -> rusqlite::Result<Batch> {
        let always = !self.operations.is_empty()
            || self
                .columns
                .iter()
                .any(|(_, source)| needs_json(*source) && !is_dimension(*source));
        let mut builders: Vec<ColumnBuilder> = self
            .columns
            .iter()
            .map(|(ty, _)| {
                ColumnBuilder::new(if *ty == Type::Dynamic {
                    Type::String
                } else {
                    *ty
                })
            })
            .collect();
        let mut count = 0;
        for row in rows {
            let series = reader
                .series(row.series)
                .map(|series| &series.dims)
                .filter(|dims| is_exact(dims));
            let reads_json = always
                || (series.is_none() && self.columns.iter().any(|(_, source)| needs_json(*source)));
            let envelope = match reads_json {
                true => match reader.json(row.id)? {
                    Some(json) => serde_json::from_str(&json).unwrap_or_default(),
                    // It was removed after the query began.
                    None => continue,
                },
                false => Json::Null,
            };
            let operation = || text_of(tag(&envelope, "ai.operation.id"));
            if !self.operations.iter().all(|ids| ids.contains(&operation())) {
                continue;
            }
            for ((ty, source), builder) in self.columns.iter().zip(&mut builders) {
                if !reads_json && let Some(text) = series.and_then(|dims| dimension(dims, *source))
                {
                    builder.push_text(text);
                    continue;
                }
                self.push(row, &envelope, *ty, *source, builder);
            }
            count += 1;
        }
        let columns = builders
            .into_iter()
            .zip(&self.columns)
            .map(|(builder, (ty, _))| match ty {
                Type::Dynamic => {
                    let texts = builder.finish();
                    Column::from_json((0..count).map(|row| texts.get(row).to_text()).collect())
                }
                _ => builder.finish(),
            });
        Ok(Batch::new(columns.collect(), count))
    }

    fn push(
        &self,
        row: &TableRow,
        envelope: &Json,
        ty: Type,
        source: Source,
        builder: &mut ColumnBuilder,
    ) {
        match source {
            Source::Timestamp => {
                builder.push_long(row.time.saturating_mul(TICKS).saturating_add(UNIX_EPOCH))
            }
            Source::ItemType => builder.push_text(self.item_type),
            Source::ItemId => builder.push_text(&row.id.to_string()),
            Source::ItemCount => builder.push_long(row.weight),
            Source::Duration => match row.duration {
                Some(duration) => builder.push(Value::Real(milliseconds(duration))),
                None => builder.push_null(),
            },
            Source::PerformanceBucket => builder.push_text(row.duration.map_or("", bucket)),
            Source::Success(path) => builder.push_text(match data(envelope, path) {
                Some(Json::Bool(false)) => "False",
                Some(Json::String(text)) if text.eq_ignore_ascii_case("false") => "False",
                _ => "True",
            }),
            Source::Data(path) => push_json(data(envelope, path), ty, builder),
            Source::Tag(key) => builder.push_text(&text_of(tag(envelope, key))),
            Source::InstrumentationKey => builder.push_text(&text_of(envelope.get("iKey"))),
            Source::Nothing => builder.push_null(),
        }
    }
}

impl Rows for ItemRows {
    fn next(&mut self, cancel: &CancelToken) -> Result<Option<Batch>, Error> {
        let mut rows = match self.rows.take() {
            Some(rows) => rows,
            None => self.begin(cancel)?,
        };
        let part: Vec<TableRow> = rows.by_ref().take(BATCH).collect();
        self.rows = Some(rows);
        if part.is_empty() {
            return Ok(None);
        }
        let batch = self
            .store
            .read_now(|reader: &Reader| self.batch(reader, &part));
        batch.map(Some).map_err(|error| failed(&error))
    }
}

const NAME: Source = Source::Data(&["name"]);
const SUCCESS: Source = Source::Success(&["success"]);
const ROLE: Source = Source::Tag("ai.cloud.role");
const REQUEST_RESULT: Source = Source::Data(&["responseCode"]);
const RESULT: Source = Source::Data(&["resultCode"]);

/// Whether series are grouped by this column, so that its value is known without the JSON.
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

/// Whether the texts of the series equal those of its items: neither truncated nor grouped.
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

fn tag<'a>(envelope: &'a Json, key: &str) -> Option<&'a Json> {
    envelope.get("tags")?.get(key)
}

fn data<'a>(envelope: &'a Json, path: &[&str]) -> Option<&'a Json> {
    let base = envelope.get("data")?.get("baseData")?;
    path.iter().try_fold(base, |value, step| match value {
        Json::Array(items) if *step == "-1" => items.last(),
        Json::Array(items) => items.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

fn text_of(value: Option<&Json>) -> String {
    match value {
        Some(Json::String(text)) => text.clone(),
        None | Some(Json::Null) => String::new(),
        Some(other) => other.to_string(),
    }
}

fn push_json(value: Option<&Json>, ty: Type, builder: &mut ColumnBuilder) {
    match (ty, value) {
        (_, None | Some(Json::Null)) => builder.push_null(),
        (Type::Dynamic, Some(value)) => builder.push_text(&value.to_string()),
        (Type::Int, Some(Json::String(level))) => match severity(level) {
            Some(level) => builder.push_long(level),
            None => builder.push(Value::text(level)),
        },
        (_, Some(value)) => builder.push(Value::text(text_of(Some(value)))),
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

/// The performance bucket of Application Insights for a duration in microseconds.
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
