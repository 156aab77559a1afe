use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::global::{BoxedSpan, BoxedTracer};
use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, ContextGuard, KeyValue};
use sqlx_core::{Error, Result};

use super::{Began, Failure};
use crate::attributes::{self, Attribute};
use crate::metrics::Instruments;
use crate::state::{State, is_silent};
use crate::statements::{Described, Use};

/// A running call, with the data of its span and metric.
#[derive(Debug)]
pub(crate) struct Operation<'s> {
    state: &'s State,
    described: Arc<Described>,
    span: Option<BoxedSpan>,
    /// The context with the span, if the driver uses it.
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
        let tracer = found
            .tracer
            .as_deref()
            .filter(|_| state.admits_span(context));
        if tracer.is_none() && found.instruments.is_none() {
            return None;
        }
        let described = state.describe(call.sql, call.usage, call.is_bound);
        if described.is_excluded {
            return None;
        }
        let span = tracer
            .map(|tracer| start_span(tracer, state, &described, context))
            .filter(BoxedSpan::is_recording);
        // Other code only needs the span as a parent. The span itself stays here, without a lock.
        let of_span =
            |span: &BoxedSpan| context.with_remote_span_context(span.span_context().clone());
        let context = span.as_ref().filter(|_| state.logs_in_place).map(of_span);
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
        if let Some(span) = &mut self.span {
            span.set_attribute(KeyValue::new(attributes::DROPPED, true));
        }
        self.end_span();
    }

    fn end_ok(mut self) {
        if let Some(instruments) = &self.instruments {
            let attributes = &self.described.metric_attributes;
            instruments
                .operation_duration
                .record(self.started.elapsed().as_secs_f64(), attributes);
        }
        self.end_span();
    }

    #[cold]
    fn end_failed(mut self, error: &Error) {
        let failure = Failure::new(error, self.state.status_code);
        self.measure(|| failure.attributes());
        if let Some(span) = &mut self.span {
            failure
                .attributes()
                .for_each(|attribute| span.set_attribute(attribute));
            span.set_status(Status::error(
                failure.description(error, self.state.options.query_text),
            ));
        }
        self.end_span();
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

    fn end_span(&mut self) {
        let Some(mut span) = self.span.take() else {
            return;
        };
        let rows = [
            (attributes::RETURNED_ROWS, self.returned_rows),
            (attributes::AFFECTED_ROWS, self.affected_rows),
        ];
        for (key, rows) in rows {
            if let Some(rows) = rows {
                span.set_attribute(KeyValue::new(key, i64::try_from(rows).unwrap_or(i64::MAX)));
            }
        }
        span.end();
    }
}

fn add(sum: &mut Option<u64>, rows: u64) {
    let sum = sum.get_or_insert(0);
    *sum = sum.saturating_add(rows);
}

fn start_span(
    tracer: &BoxedTracer,
    state: &State,
    described: &Described,
    context: &Context,
) -> BoxedSpan {
    let mut attributes = Vec::with_capacity(described.span_attributes.len() + LATER_ATTRIBUTES);
    attributes.extend(described.span_attributes.iter().map(Attribute::key_value));
    let name = match (&*described.summary, described.name) {
        ("", _) => Cow::Borrowed(state.system),
        (_, Some(name)) => Cow::Borrowed(name),
        (summary, None) => Cow::Owned(summary.to_owned()),
    };
    let builder = SpanBuilder {
        span_kind: Some(SpanKind::Client),
        name,
        attributes: Some(attributes),
        ..SpanBuilder::default()
    };
    tracer.build_with_context(builder, context)
}

/// The number of attributes that a span gets after its start.
const LATER_ATTRIBUTES: usize = 4;
