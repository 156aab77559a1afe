use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use azmon_instrument::http::{Ending, Exchange, OutgoingRequest, ResendCount, attribute};
use azmon_instrument::propagation::inject;
use azmon_instrument::{NewRecord, SpanContent, SpanRecord};
use http::Extensions;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, KeyValue};
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

use crate::attempts::Attempt;
use crate::in_context::InContext;
use crate::response::{follow, note_error};
use crate::settings::Settings;
use crate::{Excluded, NoPropagation, TraceMiddleware};
use crate::{error_type, outgoing};

impl Middleware for TraceMiddleware {
    // Without the macro, what is not recorded has no future of its own.
    fn handle<'middleware, 'extensions, 'next, 'future>(
        &'middleware self,
        mut request: Request,
        extensions: &'extensions mut Extensions,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'future>>
    where
        'middleware: 'future,
        'extensions: 'future,
        'next: 'future,
        Self: 'future,
    {
        match begin(&self.settings, &mut request, extensions) {
            None => next.run(request, extensions),
            exchange => Box::pin(record(
                &self.settings,
                exchange,
                Some(request),
                extensions,
                next,
            )),
        }
    }
}

/// Starts the exchange, unless it is excluded, and writes ids into the request, unless those are.
fn begin(settings: &Settings, request: &mut Request, extensions: &Extensions) -> Option<Exchange> {
    let current = Context::current();
    if current.is_telemetry_suppressed() {
        return None;
    }
    let outgoing = outgoing::describe(request, extensions);
    let is_excluded =
        extensions.get::<Excluded>().is_some() || outgoing.is_excluded_by(&settings.exclusions);
    let is_told = extensions.get::<NoPropagation>().is_none()
        && !outgoing.is_excluded_by(&settings.strangers);
    let exchange = if is_excluded {
        None
    } else {
        let outgoing = &OutgoingRequest {
            resend_count: extensions.get().map_or(0, ResendCount::next),
            ..outgoing
        };
        let content = CallSpan {
            settings,
            request,
            outgoing,
        };
        let is_error = settings.cancellation_is_error;
        outgoing.start(&settings.providers, &content, &current, is_error)
    };
    if is_told {
        let context = exchange.as_ref().map_or(&current, Exchange::context);
        inject(context, request.headers_mut());
    }
    exchange
}

/// What the span of a call says.
struct CallSpan<'a> {
    settings: &'a Settings,
    request: &'a Request,
    outgoing: &'a OutgoingRequest<'a>,
}

impl SpanContent for CallSpan<'_> {
    fn name(&self) -> Cow<'static, str> {
        self.outgoing.name()
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let Self {
            settings, request, ..
        } = *self;
        let url = request.url().as_str();
        let mut attributes = self.outgoing.attributes(url, &settings.redaction);
        attributes.extend(settings.request_headers.attributes(request.headers()));
        if let Some(hook) = settings.on_request.get() {
            hook(request, &mut attributes);
        }
        attributes
    }

    fn record(&self, new: NewRecord) -> Box<SpanRecord> {
        let Self {
            settings, request, ..
        } = *self;
        let is_changed =
            settings.on_request.get().is_some() || !settings.request_headers.is_empty();
        let url = request.url().as_str();
        let late = self.outgoing.late_attributes(url, &settings.redaction);
        match late.filter(|_| !is_changed) {
            Some(late) => new.with_late(late),
            None => new.with(self.attributes()),
        }
    }
}

#[expect(
    clippy::manual_async_fn,
    reason = "an async fn holds its arguments twice, and half a kilobyte is copied for each call; an Option is \
              emptied where it is"
)]
fn record<'a>(
    settings: &'a Settings,
    mut exchange: Option<Exchange>,
    mut request: Option<Request>,
    extensions: &'a mut Extensions,
    next: Next<'a>,
) -> impl Future<Output = Result<Response>> + Send + 'a {
    async move {
        let mut attempt = Attempt::new(extensions);
        let run = || Some(next.run(request.take()?, attempt.extensions));
        let result = InContext::new(&mut exchange, run).await;
        let Some(exchange) = exchange.take() else {
            return result;
        };
        note_resends(&exchange, attempt.resent_inside());
        match result {
            Ok(response) => {
                if response.status().is_success() {
                    attempt.succeed();
                }
                Ok(follow(settings, exchange, response))
            }
            Err(error) => {
                note_error(&settings.on_error, &exchange, &error);
                exchange.end(Ending::Failed(error_type::of_request(&error)));
                Err(error)
            }
        }
    }
}

fn note_resends(exchange: &Exchange, count: u32) {
    if count > 0 && exchange.is_recording() {
        let count = KeyValue::new(attribute::HTTP_REQUEST_RESEND_COUNT, i64::from(count));
        exchange.context().span().set_attribute(count);
    }
}
