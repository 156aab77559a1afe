use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use crate::envelope::Envelope;
use crate::mapping::{Arena, MappingOptions};

/// Makes envelopes of OpenTelemetry data for one resource.
#[derive(Debug)]
pub struct Mapper {
    instrumentation_key: String,
    options: MappingOptions,
}

impl Mapper {
    /// Makes a mapper whose envelopes belong to `instrumentation_key` and carry `resource`'s role.
    #[must_use]
    pub fn new(instrumentation_key: &str, resource: &Resource, options: MappingOptions) -> Self {
        let _ = resource;
        Self {
            instrumentation_key: instrumentation_key.to_owned(),
            options,
        }
    }

    /// Makes the envelopes of one span: first the request or dependency, then one for each event.
    ///
    /// `operation_name` is the name of the request that the span belongs to, if the caller knows it and
    /// the span does not say. Lengths are not limited here: see [`Envelope::apply_limits`].
    pub fn map_span<'a>(
        &'a self,
        span: &'a SpanData,
        operation_name: Option<&'a str>,
        arena: &'a Arena,
        mut emit: impl FnMut(Envelope<'a>),
    ) {
        let _ = (
            span,
            operation_name,
            arena,
            &mut emit,
            &self.options,
            &self.instrumentation_key,
        );
    }
}
