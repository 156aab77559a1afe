//! The attribute that carries the rate at which a span was kept.

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::sampling::ItemCount;

/// In percent; what the Node.js, Java and .NET SDKs write.
const SAMPLE_RATE: &str = "microsoft.sample_rate";
/// What the Python SDK writes.
const OLD_SAMPLE_RATE: &str = "_MS.sampleRate";

/// The attributes of a span that is kept. At 100 percent there is none: that is what its absence means.
pub(super) fn kept(rate: ItemCount) -> Vec<KeyValue> {
    match rate {
        ItemCount::ONE => Vec::new(),
        rate => vec![KeyValue::new(SAMPLE_RATE, rate.percent())],
    }
}

/// The attributes of a span that must not be kept, whatever becomes of it.
pub(super) fn never() -> Vec<KeyValue> {
    vec![KeyValue::new(SAMPLE_RATE, 0.0)]
}

/// Whether a span that is not sampled must not be kept, whatever became of it.
pub(crate) fn is_never(span: &SpanData) -> bool {
    span.attributes.iter().any(|attribute| {
        attribute.key.as_str() == SAMPLE_RATE && matches!(attribute.value, Value::F64(0.0))
    })
}

/// Makes a span stand for itself alone.
pub(crate) fn remove(span: &mut SpanData) {
    span.attributes
        .retain(|attribute| !matches!(attribute.key.as_str(), SAMPLE_RATE | OLD_SAMPLE_RATE));
}
