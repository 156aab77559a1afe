//! A reqwest middleware that records through `tracing`.

use azmon_benches::Case;
use azmon_benches::areas::client::{Calls, RECORDED, REFERENCE, UNSAMPLED, client};
use opentelemetry_sdk_0_32::trace::Sampler;
use reqwest_tracing::{SpanBackendWithUrl, TracingMiddleware};
use tracing::span::EnteredSpan;

use crate::stock_0_32::Stock;

const NAME: &str = "reqwest-tracing";

pub(crate) fn cases() -> Vec<Case> {
    let cases = [
        Case::peer("client/reqwest-tracing/recorded", label(""), || {
            within_span(Sampler::AlwaysOn, TracingMiddleware::default())
        })
        .group(RECORDED)
        .records(1),
        Case::peer("client/reqwest-tracing/url", label("with the URL"), || {
            let middleware = TracingMiddleware::<SpanBackendWithUrl>::new();
            within_span(Sampler::AlwaysOn, middleware)
        })
        .group(RECORDED)
        .records(1),
        Case::peer(
            "client/reqwest-tracing/unsampled",
            label("unsampled"),
            || within_span(Sampler::AlwaysOff, TracingMiddleware::default()),
        )
        .group(UNSAMPLED)
        .records(0),
    ];
    cases.map(|case| case.above(REFERENCE)).into()
}

fn label(variant: &str) -> String {
    crate::label(NAME, variant)
}

/// Calls inside a span that does not end.
fn within_span(
    sampler: Sampler,
    middleware: impl reqwest_middleware::Middleware,
) -> Calls<Stock, EnteredSpan> {
    let backend = Stock::sampled(sampler).with_tracing();
    let span = tracing::info_span!("parent").entered();
    Calls::within(backend, client().with(middleware), span)
}
