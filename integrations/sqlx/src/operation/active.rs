use std::sync::Arc;
use std::time::Instant;

use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, ContextGuard, KeyValue};
use sqlx_core::{Error, Result};

use super::span::{QuerySpan, Rows};
use super::{Began, Failure};
use crate::attributes;
use crate::metrics::Instruments;
use crate::state::{State, is_silent};
use crate::statements::{Described, Use};

/// A running call, with the data of its span and metric.
#[derive(Debug)]
pub(crate) struct Operation<'s> {
    state: &'s State,
    described: Arc<Described>,
    span: Option<QuerySpan>,
    /// That of the span, if the driver has a use for it.
    context: Option<Context>,
    instruments: Option<Arc<Instruments>>,
    started: Instant,
    returned_rows: Option<u64>,
    affected_rows: Option<u64>,
}

/// Reads an item of the driver, and updates the operation.
pub(crate) type Observe<T> = fn(&mut Operation<'_>, &T);

/// A call to the database, and the connection it runs on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'s, 'q> {
    pub(crate) state: &'s State,
    /// The context in which the open transaction began, if any.
    pub(crate) began: Option<&'s Began>,
    pub(crate) sql: &'q str,
    pub(crate) usage: Use,
    /// Whether the query has bound arguments.
    pub(crate) is_bound: bool,
}

impl<'s> Operation<'s> {
    /// Starts the operation for `call`, unless no telemetry records it.
    pub(crate) fn start(call: Call<'s, '_>) -> Option<Self> {
        // `map_current` is not used: it would hold the stack of contexts while user code runs.
        Self::start_in(call, &Began::or_current(call.began))
    }

    fn start_in(call: Call<'s, '_>, context: &Context) -> Option<Self> {
        if is_silent(context) {
            return None;
        }
        let state = call.state;
        let started = Instant::now();
        let found = state.found(started);
        let has_span = found.tracer.is_some() && state.admits_span(context);
        if !has_span && found.instruments.is_none() {
            return None;
        }
        let described = state.describe(call.sql, call.usage, call.is_bound);
        if described.is_excluded {
            return None;
        }
        let start = || QuerySpan::start(&found, state, &described, context);
        let mut span = has_span.then(start).flatten();
        // Others only need to know whose children they are. The span itself stays here, without a lock.
        let of_span =
            |span: &mut QuerySpan| Some(context.with_remote_span_context(span.context()?));
        let context = span.as_mut().filter(|_| state.logs_in_place);
        let context = context.and_then(of_span);
        Some(Self {
            state,
            described,
            span,
            context,
            instruments: found.instruments,
            started,
            returned_rows: None,
            affected_rows: None,
        })
    }

    /// Records the rollback that a dropped transaction has queued, in the context where the transaction began.
    pub(crate) fn dropped_transaction(state: &'s State, sql: &str, began: &Began) {
        let call = Call {
            state,
            began: None,
            sql,
            usage: Use::Run,
            is_bound: false,
        };
        if let Some(mut operation) = Self::start_in(call, &began.context()) {
            // The rollback itself runs later, so it has no duration here.
            operation.instruments = None;
            operation.end_dropped();
        }
    }

    /// Makes the span current until the guard is dropped.
    pub(crate) fn enter(&self) -> Option<ContextGuard> {
        self.context.clone().map(Context::attach)
    }

    pub(crate) fn add_returned_rows(&mut self, rows: u64) {
        add(&mut self.returned_rows, rows);
    }

    /// Whether the query inserts, updates or deletes rows.
    pub(crate) fn changes_rows(&self) -> bool {
        self.described.changes_rows
    }

    /// Adds the number of rows that a statement reports as changed.
    ///
    /// The number is meaningless for a statement that only reads: SQLite repeats the number of the last change.
    pub(crate) fn add_affected_rows(&mut self, rows: u64) {
        if self.described.changes_rows {
            add(&mut self.affected_rows, rows);
        }
    }

    pub(crate) fn end<T>(self, result: &Result<T>) {
        match result {
            // The query succeeded without a row.
            Ok(_) | Err(Error::RowNotFound) => self.end_ok(),
            Err(error) => self.end_failed(error),
        }
    }

    pub(crate) fn end_dropped(mut self) {
        self.measure(|| [KeyValue::new(attributes::DROPPED, true)]);
        self.end_span(|span| span.drop_query());
    }

    fn end_ok(mut self) {
        if let Some(instruments) = &self.instruments {
            self.described.duration.record(
                instruments,
                |instruments| &instruments.operation_duration,
                &self.described.metric_attributes,
                self.started.elapsed().as_secs_f64(),
            );
        }
        self.end_span(|_| {});
    }

    #[cold]
    fn end_failed(mut self, error: &Error) {
        let failure = Failure::new(error, self.state.status_code);
        self.measure(|| failure.attributes());
        let description = failure.description(error, self.state.options.query_text);
        self.end_span(|span| span.fail(failure, description));
    }

    /// Records the duration. `more` adds attributes that a successful query does not have.
    fn measure<I: IntoIterator<Item = KeyValue>>(&self, more: impl FnOnce() -> I) {
        if let Some(instruments) = &self.instruments {
            let mut attributes = self.described.metric_attributes.clone();
            attributes.extend(more());
            instruments
                .operation_duration
                .record(self.started.elapsed().as_secs_f64(), &attributes);
        }
    }

    fn end_span(&mut self, finish: impl FnOnce(&mut QuerySpan)) {
        if let Some(mut span) = self.span.take() {
            finish(&mut span);
            span.end(Rows {
                returned: self.returned_rows,
                affected: self.affected_rows,
            });
        }
    }
}

fn add(sum: &mut Option<u64>, rows: u64) {
    let sum = sum.get_or_insert(0);
    *sum = sum.saturating_add(rows);
}
