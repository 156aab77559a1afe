//! The attribute that carries the rate at which a span was kept.

use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

use crate::sampling::ItemCount;

/// In percent; what the Node.js, Java and .NET SDKs write.
const SAMPLE_RATE: &str = "microsoft.sample_rate";
/// What the Python SDK writes.
const OLD_SAMPLE_RATE: &str = "_MS.sampleRate";

/// What a span stands for.
///
/// It is a field of the span's record. Only where the SDK's tracer stands between the sampler and the record does it
/// travel as an attribute, the one thing that a sampler can add.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum SpanRate {
    /// As the span's attribute says, or else for itself alone.
    #[default]
    Unknown,
    /// For as many spans, of which it was kept.
    Kept(ItemCount),
    /// For itself alone, since everything of its kind is kept.
    Once,
    /// For none: it must not be kept, whatever becomes of it.
    Never,
}

impl SpanRate {
    /// The attribute for a tracer of the SDK. At 100 percent there is none: that is what its absence means.
    pub(super) fn attributes(self) -> Vec<KeyValue> {
        match self {
            Self::Kept(ItemCount::ONE) | Self::Unknown | Self::Once => Vec::new(),
            Self::Kept(rate) => vec![KeyValue::new(SAMPLE_RATE, rate.percent())],
            Self::Never => vec![KeyValue::new(SAMPLE_RATE, 0.0)],
        }
    }

    /// The percentage of the items of a span whose attribute says `attribute`.
    pub(crate) fn percent(self, attribute: Option<f64>) -> Option<f64> {
        match self {
            Self::Unknown => attribute,
            Self::Kept(ItemCount::ONE) | Self::Once | Self::Never => None,
            Self::Kept(rate) => Some(rate.percent()),
        }
    }
}

/// Whether the attributes say what the span stands for.
pub(crate) fn is_told(span: &SpanData) -> bool {
    let mut keys = span.attributes.iter().map(|attribute| attribute.key.as_str());
    keys.any(|key| key == SAMPLE_RATE || key == OLD_SAMPLE_RATE)
}

/// Whether a span that is not sampled must not be kept, whatever became of it.
pub(crate) fn is_never(span: &SpanData) -> bool {
    span.attributes.iter().any(|attribute| {
        attribute.key.as_str() == SAMPLE_RATE && matches!(attribute.value, Value::F64(0.0))
    })
}
