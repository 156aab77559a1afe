//! Runs a query, and returns its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::batch::Batch;
use crate::bind::{Binder, Relation};
use crate::catalog::Catalog;
use crate::error::{Error, Result};
use crate::eval::Evaluator;
use crate::options::Options;
use crate::syntax::{Span, parse};
use crate::types::{Field, Type};
use crate::value::Value;
use crate::{exec, pushdown};

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AnswerColumn {
    /// The name.
    pub name: Arc<str>,
    /// The type.
    pub ty: Type,
}

/// The visualization that `render` requests; drawing is left to the caller.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Render {
    /// `timechart`, `piechart` and so on.
    pub visualization: Arc<str>,
    /// The properties of `with (…)`.
    pub properties: Vec<(Arc<str>, Value)>,
}

/// The result of a query.
#[derive(Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The columns, in order.
    pub columns: Vec<AnswerColumn>,
    /// The visualization that `render` requests.
    pub render: Option<Render>,
    /// Notes on places where Kusto would reject the query or give another result.
    pub notes: Vec<String>,
    /// The reason for missing rows at the end: the answer reached a limit.
    pub partial: Option<Error>,
    /// The time from the start of parsing to the last row.
    pub elapsed: Duration,
    /// The number of rows that the tables returned, after the filters that they apply themselves.
    pub rows_read: u64,
    batches: Vec<Batch>,
    rows: usize,
}

impl Answer {
    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether the answer has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The rows in order, a value for each column.
    ///
    /// A missing text is an empty [`Value::String`], any other missing value [`Value::Null`].
    pub fn rows(&self) -> impl Iterator<Item = Vec<Value>> + '_ {
        self.batches
            .iter()
            .flat_map(move |batch| (0..batch.rows).map(move |row| self.row(batch, row)))
    }

    fn row(&self, batch: &Batch, row: usize) -> Vec<Value> {
        let cell =
            |(index, column): (usize, &AnswerColumn)| match (batch.get(index, row), column.ty) {
                (Value::Null, Type::String) => Value::text(""),
                (value, _) => value,
            };
        self.columns.iter().enumerate().map(cell).collect()
    }
}

/// Runs a query to its end.
///
/// # Errors
///
/// If the text is not KQL, names or types do not fit, a construct is not supported, a table cannot be read, or a
/// limit other than those of the answer is reached. The error contains its place in the text, if it has one.
pub fn run(text: &str, catalog: &dyn Catalog, options: &Options) -> Result<Answer> {
    let started = Instant::now();
    run_inside(text, catalog, options, started).map_err(|error| error.locate(text))
}

fn run_inside(
    text: &str,
    catalog: &dyn Catalog,
    options: &Options,
    started: Instant,
) -> Result<Answer> {
    check_length(text, options)?;
    let program = parse(text)?;
    let mut evaluator = Evaluator::new(options);
    let mut binder = Binder::new(catalog, &mut evaluator, true);
    let relation = binder.program(&program)?;
    let render = binder.rendering.take().map(|rendering| {
        let mut properties = rendering.into_iter();
        Render {
            visualization: properties
                .next()
                .map(|(_, value)| value.to_text())
                .unwrap_or_default(),
            properties: properties.collect(),
        }
    });
    let notes = std::mem::take(&mut binder.notes);
    let plan = pushdown::pushed(relation.plan, &options.push_down);
    let mut stream = exec::open(&plan, &mut evaluator)?;
    let mut answer = Answer {
        columns: answer_columns(&relation.fields),
        render,
        notes,
        partial: None,
        elapsed: Duration::ZERO,
        rows_read: 0,
        batches: Vec::new(),
        rows: 0,
    };
    let limits = &options.limits;
    let mut bytes = 0;
    while let Some(batch) = stream.next(&mut evaluator)? {
        evaluator.check()?;
        let room = limits.answer_rows - answer.rows;
        let cut = batch.rows > room;
        let batch = batch.head(room);
        bytes += batch.size();
        answer.rows += batch.rows;
        if batch.rows > 0 {
            answer.batches.push(batch);
        }
        if cut {
            answer.partial = Some(Error::limit(format!(
                "the answer was cut after {} rows",
                limits.answer_rows
            )));
            break;
        }
        if bytes > limits.answer_bytes {
            answer.partial = Some(Error::limit(format!(
                "the answer was cut after {} bytes",
                limits.answer_bytes
            )));
            break;
        }
    }
    answer.elapsed = started.elapsed();
    answer.rows_read = evaluator.rows_read;
    Ok(answer)
}

fn check_length(text: &str, options: &Options) -> Result<()> {
    if text.len() > options.limits.text {
        return Err(Error::limit_at(
            Span::default(),
            format!("the query is longer than {} bytes", options.limits.text),
        ));
    }
    Ok(())
}

fn answer_columns(fields: &[Field]) -> Vec<AnswerColumn> {
    fields
        .iter()
        .map(|field| AnswerColumn {
            name: field.name.clone(),
            ty: field.ty,
        })
        .collect()
}

/// The result of checking a query without running it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Checked {
    /// The first error, if any.
    pub error: Option<Error>,
    /// The columns of the answer; empty if they depend on rows or the query has an error.
    pub columns: Vec<AnswerColumn>,
    /// Whether the columns depend on rows, as with `pivot`.
    pub open: bool,
}

/// Parses and binds a query without reading a row, for editors.
#[must_use]
pub fn check(text: &str, catalog: &dyn Catalog, options: &Options) -> Checked {
    let bound = || -> Result<(Relation, bool)> {
        check_length(text, options)?;
        let program = parse(text)?;
        let mut evaluator = Evaluator::new(options);
        let mut binder = Binder::new(catalog, &mut evaluator, false);
        match binder.program(&program) {
            Ok(relation) => Ok((relation, binder.open)),
            // Names that come from rows cannot be checked.
            Err(_) if binder.open => Ok((empty_relation(), true)),
            Err(error) => Err(error),
        }
    };
    match bound() {
        Ok((relation, open)) => Checked {
            error: None,
            columns: if open {
                Vec::new()
            } else {
                answer_columns(&relation.fields)
            },
            open,
        },
        Err(error) => Checked {
            error: Some(error.locate(text)),
            columns: Vec::new(),
            open: false,
        },
    }
}

fn empty_relation() -> Relation {
    Relation {
        plan: crate::plan::Plan::new(crate::plan::PlanNode::Values(Batch::default()), Vec::new()),
        fields: Vec::new(),
        name: None,
    }
}
