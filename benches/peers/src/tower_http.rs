//! tower-http's layer for `tracing`, with the bridge to OpenTelemetry.

use azmon_benches::Case;
use azmon_benches::areas::server::{Exchanges, RECORDED, REFERENCE, SAMPLED, SAMPLED_OUT, router};
use azmon_benches::fixtures::Stock;
use opentelemetry_sdk::trace::Sampler;
use tower_http::trace::TraceLayer;

use crate::subscriber;

pub(crate) fn cases() -> Vec<Case> {
    let cases = [
        Case::peer("server/tower-http/recorded", label(""), || {
            let stock = Stock::start();
            subscriber::install(stock.tracers());
            Exchanges::new(stock, router().layer(TraceLayer::new_for_http()), SAMPLED)
        })
        .group(RECORDED)
        .records(1)
        .remark("and two events; it takes no parent from the request"),
        Case::peer("server/tower-http/dropped", label("sampled out"), || {
            let stock = Stock::sampled(Sampler::AlwaysOff);
            subscriber::install(stock.tracers());
            Exchanges::new(stock, router().layer(TraceLayer::new_for_http()), SAMPLED)
        })
        .group(SAMPLED_OUT)
        .records(0),
    ];
    cases.map(|case| case.above(REFERENCE)).into()
}

fn label(variant: &str) -> String {
    let bridge = crate::label("tracing-opentelemetry", variant);
    format!("{} and {bridge}", crate::label("tower-http", ""))
}
