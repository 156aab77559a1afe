//! The tables of the query language over the store's items.
//!
//! Name, role, result and success come from the item's series if the series is exact. A request without a name
//! has the name of its operation.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use azmon_kql::{
    Batch, CancelToken, Catalog, Error, Field, Filter, FilterOp, Hint, Rows, ScanRequest, Table,
    Type, UNIX_EPOCH, Value,
};

use super::cells::{Builder, TICKS, is_dimension, is_exact, needs_json, push};
use super::columns::{Definition, Source, TABLES};
use super::document::Document;
use crate::store::{Range, Reader, State, Store, TableCursor, TableQuery, TableRow};

/// The number of rows whose JSON is read together.
const BATCH: usize = 4096;
/// Columns that are picked from the text of an envelope; for more of them, it is read whole.
const MAX_PICKED: usize = 3;
/// The maximum number of rows of one table that a query reads.
const MAX_ROWS: usize = 5_000_000;

/// All tables, of one application or of all, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    state: Arc<State>,
    app: Option<String>,
}

impl Tables {
    /// The tables of the application with this key, or of all applications if none has it.
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

impl Items {
    /// The hints on columns whose texts stand in the JSON. A number may be written differently there, unless the
    /// column has JSON itself.
    fn hints(&self, hints: &[Hint]) -> Vec<Hint> {
        let stands_there = |hint: &&Hint| {
            let is_json = self
                .fields
                .get(hint.column)
                .is_some_and(|field| field.ty == Type::Dynamic);
            let is_of_number =
                |letter: char| letter.is_ascii_digit() || letter.eq_ignore_ascii_case(&'e');
            let source = self.sources.get(hint.column);
            matches!(source, Some(Source::Data(_) | Source::Tag(_)))
                && (is_json || !hint.text.chars().all(is_of_number))
        };
        hints.iter().filter(stands_there).cloned().collect()
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
        // Operations are found by a hash, so the id of each row must be compared.
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
            hints: self.hints(&request.hints),
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
    /// Conditions on the operation id, compared with the id itself.
    operations: Vec<Vec<String>>,
    /// Texts that the JSON of every wanted row contains.
    hints: Vec<Hint>,
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
                if !self.hints.iter().all(|hint| hint.may_be_in_json(json)) {
                    return ControlFlow::Continue(());
                }
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
