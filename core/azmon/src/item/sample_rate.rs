//! The attribute that carries the sampling rate of a span if the SDK's tracer stands in between.

use opentelemetry::Value;

use crate::instrument::direct::SpanRate;
use crate::item::SpanView;

/// The attribute of the Node.js, Java and .NET SDKs, in percent.
pub(crate) const SAMPLE_RATE: &str = "microsoft.sample_rate";
/// The attribute of the Python SDK.
const OLD_SAMPLE_RATE: &str = "_MS.sampleRate";

/// Whether a span must never be kept, even if it fails or is slow.
pub(crate) fn is_never(span: SpanView<'_>) -> bool {
    span.rate == SpanRate::Never
        || span.attributes.iter().any(|attribute| {
            attribute.key.as_str() == SAMPLE_RATE && matches!(attribute.value, Value::F64(0.0))
        })
}

/// Whether the attributes contain a sampling rate.
pub(crate) fn is_told(span: SpanView<'_>) -> bool {
    let mut keys = span
        .attributes
        .iter()
        .map(|attribute| attribute.key.as_str());
    keys.any(|key| key == SAMPLE_RATE || key == OLD_SAMPLE_RATE)
}

/// The sampling rate of a span's items, given the value of its attribute; `None` means 100 percent.
pub(crate) fn percent(rate: SpanRate, attribute: Option<f64>) -> Option<f64> {
    match rate {
        SpanRate::Unknown => attribute,
        SpanRate::Percent(percent) => Some(percent).filter(|percent| *percent < 100.0),
        SpanRate::Never => None,
    }
}
