use std::future::Future;
use std::pin::Pin;

use azmon_instrument::http::{self as instrument, Ending, Scope, attribute};
use http::Extensions;
use opentelemetry::KeyValue;
use opentelemetry::trace::TraceContextExt;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

use crate::attempts::Attempt;
use crate::call::Call;
use crate::error_type;
use crate::in_context::InContext;
use crate::middleware::TraceMiddleware;
use crate::response::follow;
use crate::settings::CallSettings;

impl Middleware for TraceMiddleware {
    // A hand-written signature: unlike the macro's, it needs no extra future for a request that is not recorded.
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
        Attempt::forget_another(&request, extensions);
        match begin(&self.settings, &mut request, extensions) {
            Scope::None => next.run(request, extensions),
            scope => Box::pin(record(
                &self.settings,
                scope,
                Some(request),
                extensions,
                next,
            )),
        }
    }
}

/// Starts the exchange unless the request is excluded, and writes the ids into the request unless its host is
/// excluded from propagation.
#[inline]
fn begin(settings: &CallSettings, request: &mut Request, extensions: &Extensions) -> Scope {
    let call = Call::new(settings, request, extensions);
    let begun = instrument::begin(&settings.http, &settings.providers, call);
    begun.inject(&settings.http, request.headers_mut())
}

#[expect(
    clippy::manual_async_fn,
    reason = "an async fn holds its arguments twice, and half a kilobyte is copied for each call; an Option is \
              emptied where it is"
)]
fn record<'a>(
    settings: &'a CallSettings,
    mut scope: Scope,
    mut request: Option<Request>,
    extensions: &'a mut Extensions,
    next: Next<'a>,
) -> impl Future<Output = Result<Response>> + Send + 'a {
    async move {
        let mut attempt = Attempt::new(request.as_ref(), extensions);
        let run = || Some(next.run(request.take()?, attempt.extensions));
        let result = InContext::new(&mut scope, run).await;
        note_resends(&mut scope, attempt.resent_inside());
        match result {
            Ok(response) => {
                attempt.end(response.status());
                Ok(follow(settings, &mut scope, response))
            }
            Err(error) => {
                let mut scope = scope.enter();
                if let Some(exchange) = scope.exchange_mut() {
                    settings.on_error.note(exchange, &error);
                }
                scope.end(Ending::Failed(error_type::of_request(&error)));
                Err(error)
            }
        }
    }
}

fn note_resends(scope: &mut Scope, count: u32) {
    if let Some(exchange) = scope.exchange_mut()
        && count > 0
        && exchange.is_recording()
    {
        let count = KeyValue::new(attribute::HTTP_REQUEST_RESEND_COUNT, i64::from(count));
        exchange.context().span().set_attribute(count);
    }
}
