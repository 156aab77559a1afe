use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::limits::truncate_required;
use crate::{Measurements, Properties, lenient, limits};

/// A custom event: a business fact worth counting, such as a checkout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventData<'a> {
    /// Version of the schema: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    #[serde(default = "lenient::schema_version")]
    pub ver: u8,
    /// Name of the event.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Cow<'a, str>,
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

impl EventData<'_> {
    pub(super) fn apply_limits(&mut self) {
        truncate_required(&mut self.name, limits::EVENT_NAME);
        self.measurements.apply_measurement_limits();
    }
}
