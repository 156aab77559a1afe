use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::limits::{truncate_option, truncate_required};
use crate::{Measurements, Properties, TimeSpan, lenient, limits};

/// The result of an availability test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AvailabilityData<'a> {
    /// Version of the schema: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    #[serde(default = "lenient::schema_version")]
    pub ver: u8,
    /// Id of the test run.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Cow<'a, str>,
    /// Name of the test.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Cow<'a, str>,
    /// How long it took.
    pub duration: TimeSpan,
    /// Whether it succeeded.
    #[serde(deserialize_with = "lenient::boolean")]
    pub success: bool,
    /// Where it ran.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub run_location: Option<Cow<'a, str>>,
    /// Message of the test: the reason of a failure.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub message: Option<Cow<'a, str>>,
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

impl AvailabilityData<'_> {
    pub(super) fn apply_limits(&mut self) {
        truncate_required(&mut self.id, limits::ID);
        truncate_required(&mut self.name, limits::NAME);
        truncate_option(&mut self.run_location, limits::SHORT_TEXT);
        truncate_option(&mut self.message, limits::AVAILABILITY_MESSAGE);
        self.measurements.apply_measurement_limits();
    }
}
