//! The attribute that carries the rate at which a span was kept, where the SDK's tracer stands between.

use opentelemetry::Value;

use crate::instrument::direct::SpanRate;
use crate::item::SpanView;

/// In percent; what the Node.js, Java and .NET SDKs write.
pub(crate) const SAMPLE_RATE: &str = "microsoft.sample_rate";
/// What the Python SDK writes.
const OLD_SAMPLE_RATE: &str = "_MS.sampleRate";

/// Whether a span that is not sampled must not be kept, whatever became of it.
pub(crate) fn is_never(span: SpanView<'_>) -> bool {
    span.rate == SpanRate::Never
        || span.attributes.iter().any(|attribute| {
            attribute.key.as_str() == SAMPLE_RATE && matches!(attribute.value, Value::F64(0.0))
        })
}

/// Whether the attributes say for how many spans the span stands.
pub(crate) fn is_told(span: SpanView<'_>) -> bool {
    let mut keys = span
        .attributes
        .iter()
        .map(|attribute| attribute.key.as_str());
    keys.any(|key| key == SAMPLE_RATE || key == OLD_SAMPLE_RATE)
}

/// The percentage of the items of a span whose attribute says `attribute`; `None` for all.
pub(crate) fn percent(rate: SpanRate, attribute: Option<f64>) -> Option<f64> {
    match rate {
        SpanRate::Unknown => attribute,
        SpanRate::Percent(percent) => Some(percent).filter(|percent| *percent < 100.0),
        SpanRate::Never => None,
    }
}
