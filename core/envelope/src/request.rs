use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::limits::{truncate, truncate_option};
use crate::{Measurements, Properties, TimeSpan, lenient, limits};

/// An operation that the service performs for a caller: an HTTP request, an RPC, a message taken from a queue.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestData<'a> {
    /// Version of the schema: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    #[serde(default = "lenient::schema_version")]
    pub ver: u8,
    /// Id of the request: the span id.
    #[serde(deserialize_with = "lenient::text")]
    pub id: Cow<'a, str>,
    /// Name of the operation, such as `GET /users/{id}`. It may be empty.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Cow<'a, str>,
    /// Duration of the request.
    pub duration: TimeSpan,
    /// Whether the request succeeded.
    #[serde(default = "lenient::yes", deserialize_with = "lenient::boolean")]
    pub success: bool,
    /// Response code; `0` if the protocol has none.
    #[serde(deserialize_with = "lenient::text")]
    pub response_code: Cow<'a, str>,
    /// Sender of a message: `peer/destination`.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub source: Option<Cow<'a, str>>,
    /// The full URL.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub url: Option<Cow<'a, str>>,
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

impl RequestData<'_> {
    pub(super) fn apply_limits(&mut self) {
        truncate(&mut self.id, limits::ID);
        truncate(&mut self.name, limits::NAME);
        truncate(&mut self.response_code, limits::SHORT_TEXT);
        truncate_option(&mut self.source, limits::SHORT_TEXT);
        truncate_option(&mut self.url, limits::URL);
        self.measurements.apply_measurement_limits();
    }
}
