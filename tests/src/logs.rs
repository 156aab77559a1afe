//! Maps log records.

use azmon::mapping::{Arena, LogData, Mapper, MappingOptions};
use opentelemetry_sdk::Resource;
use serde_json::Value;

use crate::spans::HOST;

/// The envelope of a log record as JSON, with the service's limits applied.
///
/// A value that the serialiser rejects becomes `null`.
#[must_use]
pub fn mapped_for(log: &LogData, resource: &Resource) -> Value {
    let options = MappingOptions::default().host_name(HOST);
    let mapper = Mapper::new("00000000-0000-0000-0000-000000000000", resource, options);
    let arena = Arena::new();
    let mut envelope = mapper.map_log(log, None, None, &arena);
    envelope.apply_limits();
    let json = serde_json::to_string(&envelope).unwrap_or_default();
    serde_json::from_str(&json).unwrap_or_default()
}
