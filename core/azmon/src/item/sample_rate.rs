//! The attribute that carries the rate at which a span was kept.

use opentelemetry::Value;

use crate::instrument::direct::SpanFields;
use crate::item::SpanView;

/// In percent; what the Node.js, Java and .NET SDKs write.
pub(crate) const SAMPLE_RATE: &str = "microsoft.sample_rate";
/// What the Python SDK writes.
const OLD_SAMPLE_RATE: &str = "_MS.sampleRate";

/// Whether a span that is not sampled must not be kept, whatever became of it.
pub(crate) fn is_never(span: SpanView<'_>) -> bool {
    span.attributes.iter().any(|attribute| {
        attribute.key.as_str() == SAMPLE_RATE && matches!(attribute.value, Value::F64(0.0))
    })
}

/// Makes a span stand for itself alone.
pub(crate) fn remove(span: &mut SpanFields) {
    span.attributes
        .retain(|attribute| !matches!(attribute.key.as_str(), SAMPLE_RATE | OLD_SAMPLE_RATE));
}
