use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::limits::truncate_required;
use crate::{Measurements, Properties, SeverityLevel, lenient, limits};

/// A log record; a row of the table `traces`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageData<'a> {
    /// Version of the schema: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    #[serde(default = "lenient::schema_version")]
    pub ver: u8,
    /// The message.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Cow<'a, str>,
    /// Severity of the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_level: Option<SeverityLevel>,
    /// Custom dimensions.
    #[serde(
        default,
        skip_serializing_if = "Properties::is_empty",
        deserialize_with = "lenient::map"
    )]
    pub properties: Properties<'a>,
    /// Custom measurements.
    #[serde(
        default,
        skip_serializing_if = "Measurements::is_empty",
        deserialize_with = "lenient::map"
    )]
    pub measurements: Measurements<'a>,
}

impl MessageData<'_> {
    pub(super) fn apply_limits(&mut self) {
        truncate_required(&mut self.message, limits::MESSAGE);
        self.measurements.apply_measurement_limits();
    }
}
