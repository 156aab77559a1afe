use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{Span, SpanBuilder, SpanKind, Status, Tracer};
use opentelemetry::{Context, KeyValue};
use sqlx_core::{Error, Result};

use crate::attributes::{self, Attribute};
use crate::operation::Failure;
use crate::state::{State, is_silent};

/// A waiting request for a connection. It counts as pending until it is dropped.
#[derive(Debug)]
pub(super) struct Wait<'s> {
    state: &'s State,
    context: Context,
    started: Instant,
    /// Whether the pool opens a connection for the request.
    opens: bool,
    is_over: bool,
}

impl<'s> Wait<'s> {
    /// Starts to wait, unless no telemetry records the wait.
    pub(super) fn start(state: &'s State, opens: bool) -> Option<Self> {
        let context = Context::current();
        if is_silent(&context) {
            return None;
        }
        state.add_pending(1);
        state.add_opening(i64::from(opens));
        Some(Self {
            state,
            context,
            started: Instant::now(),
            opens,
            is_over: false,
        })
    }

    pub(super) fn end<T>(mut self, result: &Result<T>) {
        self.is_over = true;
        let waited = self.started.elapsed();
        self.measure(waited, result.as_ref().err());
        if result.is_err() || waited >= self.state.options.threshold() {
            self.tell(waited, result.as_ref().err());
        }
    }

    fn measure(&self, waited: Duration, error: Option<&Error>) {
        let Some(instruments) = self.state.instruments(self.started) else {
            return;
        };
        let pool = &self.state.pool;
        match error {
            None => {
                self.state.wait_time.record(
                    &instruments,
                    |instruments| &instruments.wait_time,
                    pool,
                    waited.as_secs_f64(),
                );
                if self.opens {
                    instruments.create_time.record(waited.as_secs_f64(), pool);
                }
            }
            Some(Error::PoolTimedOut) => instruments.timeouts.add(1, pool),
            Some(_) => {}
        }
    }

    /// Records the span of the wait. The caller has decided that the wait needs one.
    fn tell(&self, waited: Duration, error: Option<&Error>) {
        let found = self.state.found(self.started);
        let tracer = found.tracer.as_deref();
        let Some(tracer) = tracer.filter(|_| self.state.admits_span(&self.context)) else {
            return;
        };
        let [pool] = self.state.pool.clone();
        let database = self.state.database.iter().map(Attribute::key_value);
        let mut attributes: Vec<_> = database.chain([pool]).collect();
        attributes.extend((!self.is_over).then(|| KeyValue::new(attributes::DROPPED, true)));
        let failure = error.map(|error| (error, Failure::new(error, self.state.status_code)));
        attributes.extend(failure.iter().flat_map(|(_, failure)| failure.attributes()));
        let end = SystemTime::now();
        let builder = SpanBuilder {
            span_kind: Some(SpanKind::Internal),
            name: SPAN_NAME.into(),
            start_time: end.checked_sub(waited),
            attributes: Some(attributes),
            ..SpanBuilder::default()
        };
        let mut span = tracer.build_with_context(builder, &self.context);
        if let Some((error, failure)) = failure {
            span.set_status(Status::error(
                failure.description(error, self.state.options.query_text),
            ));
        }
        span.end_with_timestamp(end);
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.state.add_pending(-1);
        self.state.add_opening(-i64::from(self.opens));
        let waited = self.started.elapsed();
        if !self.is_over && waited >= self.state.options.threshold() {
            self.tell(waited, None);
        }
    }
}

/// OpenTelemetry defines no name for this span.
const SPAN_NAME: &str = "acquire connection";
