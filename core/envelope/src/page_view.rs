use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::limits::{truncate, truncate_option};
use crate::{Measurements, Properties, TimeSpan, lenient, limits};

/// A page shown in a browser.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageViewData<'a> {
    /// Version of the schema: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    #[serde(default = "lenient::schema_version")]
    pub ver: u8,
    /// Id of the page view.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: Cow<'a, str>,
    /// Title of the page.
    #[serde(default, deserialize_with = "lenient::text")]
    pub name: Cow<'a, str>,
    /// Address of the page.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub url: Option<Cow<'a, str>>,
    /// The time that the page took to load.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<TimeSpan>,
    /// Address of the previous page.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub referrer_uri: Option<Cow<'a, str>>,
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

/// The time that a browser took to show a page, by phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageViewPerfData<'a> {
    /// The page.
    #[serde(flatten)]
    pub page: PageViewData<'a>,
    /// Total of all phases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perf_total: Option<TimeSpan>,
    /// Resolving the name and connecting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_connect: Option<TimeSpan>,
    /// Sending the request, until the first byte of the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_request: Option<TimeSpan>,
    /// Receiving the response.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_response: Option<TimeSpan>,
    /// Building the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dom_processing: Option<TimeSpan>,
}

impl PageViewData<'_> {
    pub(super) fn apply_limits(&mut self) {
        truncate(&mut self.id, limits::ID);
        truncate(&mut self.name, limits::NAME);
        truncate_option(&mut self.url, limits::URL);
        truncate_option(&mut self.referrer_uri, limits::URL);
        self.measurements.apply_measurement_limits();
    }
}
