//! An axum middleware that records through `tracing`.

use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use azmon_benches::Case;
use azmon_benches::areas::server::{
    EXCLUDED, Exchanges, RECORDED, REFERENCE, SAMPLED, SAMPLED_OUT, UNSAMPLED, UNSAMPLED_PARENT,
    router,
};
use azmon_benches::fixtures::Stock;
use opentelemetry_sdk::trace::Sampler;

use crate::subscriber;

const NAME: &str = "axum-tracing-opentelemetry";

pub(crate) fn cases() -> Vec<Case> {
    let cases = [
        Case::peer("server/axum-tracing/recorded", label(""), || {
            Exchanges::new(stock(Stock::start()), router().layer(layer()), SAMPLED)
        })
        .group(RECORDED)
        .records(1),
        Case::peer(
            "server/axum-tracing/unsampled",
            label("parent unsampled"),
            || Exchanges::new(stock(Stock::start()), router().layer(layer()), UNSAMPLED),
        )
        .group(UNSAMPLED_PARENT)
        .records(0),
        Case::peer("server/axum-tracing/dropped", label("sampled out"), || {
            let backend = stock(Stock::sampled(Sampler::AlwaysOff));
            Exchanges::new(backend, router().layer(layer()), SAMPLED)
        })
        .group(SAMPLED_OUT)
        .records(0),
        Case::peer("server/axum-tracing/excluded", label("excluded"), || {
            let layer = layer().filter(|path| !path.starts_with("/users"));
            Exchanges::new(stock(Stock::start()), router().layer(layer), SAMPLED)
        })
        .group(EXCLUDED)
        .records(0),
    ];
    cases.map(|case| case.above(REFERENCE)).into()
}

fn label(variant: &str) -> String {
    crate::label(NAME, variant)
}

fn layer() -> OtelAxumLayer {
    OtelAxumLayer::default()
}

fn stock(stock: Stock) -> Stock {
    subscriber::install(stock.tracers());
    stock
}
