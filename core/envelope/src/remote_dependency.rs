use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::limits::{truncate, truncate_option, truncate_required};
use crate::{Measurements, Properties, TimeSpan, lenient, limits};

/// A call to another service, a database or a queue, or a step inside the process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemoteDependencyData<'a> {
    /// Version of the schema: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    #[serde(default = "lenient::schema_version")]
    pub ver: u8,
    /// Id of the call: the span id.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: Cow<'a, str>,
    /// Name of the operation, such as `GET /users/42`.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Cow<'a, str>,
    /// Result code of the call; `0` if the protocol has none.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub result_code: Option<Cow<'a, str>>,
    /// The command: a URL or a statement.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub data: Option<Cow<'a, str>>,
    /// Type of the dependency, such as `Http`, `postgresql` or `InProc`.
    #[serde(
        rename = "type",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub dependency_type: Option<Cow<'a, str>>,
    /// The called target: host and port, or host and database.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub target: Option<Cow<'a, str>>,
    /// Duration of the call.
    pub duration: TimeSpan,
    /// Whether the call succeeded.
    #[serde(default = "lenient::yes", deserialize_with = "lenient::boolean")]
    pub success: bool,
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

impl RemoteDependencyData<'_> {
    pub(super) fn apply_limits(&mut self) {
        truncate(&mut self.id, limits::ID);
        truncate_required(&mut self.name, limits::NAME);
        truncate_option(&mut self.result_code, limits::SHORT_TEXT);
        truncate_option(&mut self.data, limits::DEPENDENCY_DATA);
        truncate_option(&mut self.dependency_type, limits::SHORT_TEXT);
        truncate_option(&mut self.target, limits::SHORT_TEXT);
        self.measurements.apply_measurement_limits();
    }
}
