//! OpenTelemetry's own tower middleware.

use azmon_benches::Case;
use azmon_benches::areas::server::{
    Exchanges, METRICS, RECORDED, REFERENCE, SAMPLED, SAMPLED_OUT, UNSAMPLED, UNSAMPLED_PARENT,
    router,
};
use azmon_benches::fixtures::Stock;
use opentelemetry_instrumentation_tower::http::server::{Layer, LayerBuilder};
use opentelemetry_sdk::trace::Sampler;

const NAME: &str = "opentelemetry-instrumentation-tower";

pub(crate) fn cases() -> Vec<Case> {
    let cases = [
        Case::peer("server/otel-tower/recorded", label(""), || {
            Exchanges::new(Stock::start(), router().layer(traces()), SAMPLED)
        })
        .group(RECORDED)
        .records(1),
        Case::peer("server/otel-tower/metrics", label("and metrics"), || {
            let backend = Stock::start().with_metrics();
            Exchanges::new(backend, router().layer(Layer::new()), SAMPLED)
        })
        .group(METRICS)
        .records(1),
        Case::peer(
            "server/otel-tower/unsampled",
            label("parent unsampled"),
            || Exchanges::new(Stock::start(), router().layer(traces()), UNSAMPLED),
        )
        .group(UNSAMPLED_PARENT)
        .records(0),
        Case::peer("server/otel-tower/dropped", label("sampled out"), || {
            let backend = Stock::sampled(Sampler::AlwaysOff);
            Exchanges::new(backend, router().layer(traces()), SAMPLED)
        })
        .group(SAMPLED_OUT)
        .records(0),
    ];
    cases.map(|case| case.above(REFERENCE)).into()
}

fn label(variant: &str) -> String {
    crate::label(NAME, variant)
}

fn traces() -> Layer {
    let layer = LayerBuilder::builder().with_metrics(false).build();
    layer.expect("the layer can be built")
}
