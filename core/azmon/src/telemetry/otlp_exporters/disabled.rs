use std::time::Duration;

use crate::config::OtlpEndpoints;
use crate::error::BuildErrorKind;
use crate::telemetry::assembly::Parts;

/// Does nothing: without the feature, the settings never enable OTLP.
pub(in crate::telemetry) fn add(
    parts: Parts,
    _endpoints: &OtlpEndpoints,
    _interval: Duration,
) -> Result<Parts, BuildErrorKind> {
    Ok(parts)
}
