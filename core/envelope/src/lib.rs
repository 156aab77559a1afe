//! The wire model of Application Insights: the items that `POST /v2.1/track` carries.
//!
//! One [`Envelope`] is one telemetry item. The exporter writes envelopes, telemetry processors may change them, and the
//! portal reads them. One set of types serves all three:
//!
//! - **Writing** borrows: every text is a [`Cow`], so an envelope made from a span copies none of its strings.
//!   [`Envelope::apply_limits`] cuts each field to the length that the service accepts, at character boundaries.
//! - **Reading** is tolerant, because real clients differ: a severity is a number or a word, a property value is a
//!   string, a number or a boolean, a time may lack its zone. A missing required field is an error that names the
//!   field.
//!
//! | Type | `name` | `baseType` | Table in Azure |
//! |---|---|---|---|
//! | [`RequestData`] | `Microsoft.ApplicationInsights.Request` | `RequestData` | `requests` |
//! | [`RemoteDependencyData`] | `….RemoteDependency` | `RemoteDependencyData` | `dependencies` |
//! | [`ExceptionData`] | `….Exception` | `ExceptionData` | `exceptions` |
//! | [`MessageData`] | `….Message` | `MessageData` | `traces` |
//! | [`EventData`] | `….Event` | `EventData` | `customEvents` |
//! | [`MetricData`] | `….Metric` | `MetricData` | `customMetrics` |
//! | [`AvailabilityData`] | `….Availability` | `AvailabilityData` | `availabilityResults` |
//! | [`PageViewData`] | `….PageView` | `PageViewData` | `pageViews` |
//! | [`PageViewPerfData`] | `….PageViewPerf` | `PageViewPerfData` | `browserTimings` |

mod availability;
mod data;
mod event;
mod exception;
mod lenient;
pub mod limits;
mod map;
mod message;
mod metric;
mod owned;
mod page_view;
mod remote_dependency;
mod request;
mod severity;
mod shorten;
pub mod tags;
mod time;
mod time_span;

use std::borrow::Cow;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

pub use self::availability::AvailabilityData;
pub use self::data::Data;
pub use self::event::EventData;
pub use self::exception::{ExceptionData, ExceptionDetails, StackFrame};
pub use self::map::{Map, Measurements, Properties, Tags};
pub use self::message::MessageData;
pub use self::metric::{MetricData, MetricKind, MetricPoint};
pub use self::page_view::{PageViewData, PageViewPerfData};
pub use self::remote_dependency::RemoteDependencyData;
pub use self::request::RequestData;
pub use self::severity::SeverityLevel;
pub use self::time_span::{MAX_TIME_SPAN, ParseTimeSpanError, TimeSpan};
use crate::limits::truncate;

/// Version of the payloads' schema: the value of every `ver`.
pub const SCHEMA_VERSION: u8 = 2;

/// The text of a time, as an envelope has it.
#[doc(hidden)]
#[must_use]
pub fn written_time(time: SystemTime) -> impl std::fmt::Display {
    time::written(time)
}

/// One telemetry item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope<'a> {
    /// `Microsoft.ApplicationInsights.` and the kind; see [`Data::envelope_name`].
    #[serde(deserialize_with = "lenient::text")]
    pub name: Cow<'a, str>,
    /// Time of the item; for a request or a dependency, its start. Microseconds on the wire.
    #[serde(with = "time")]
    pub time: SystemTime,
    /// Sampling rate in percent: the item stands for `100 / sample_rate` items. Absent means 100.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub sample_rate: Option<f64>,
    /// The instrumentation key of the resource that the item belongs to.
    #[serde(default, deserialize_with = "lenient::text")]
    pub i_key: Cow<'a, str>,
    /// Context: operation, role, user, session. Keys are in [`tags`].
    #[serde(default, deserialize_with = "lenient::map")]
    pub tags: Tags<'a>,
    /// The payload.
    pub data: Data<'a>,
}

impl<'a> Envelope<'a> {
    /// Makes an envelope with the name that belongs to `data`; every other field is empty.
    #[must_use]
    pub fn new(time: SystemTime, data: Data<'a>) -> Self {
        Self {
            name: Cow::Borrowed(data.envelope_name()),
            time,
            sample_rate: None,
            i_key: Cow::Borrowed(""),
            tags: Tags::new(),
            data,
        }
    }

    /// Cuts every field to the length that the service accepts, and drops keys and numbers that it refuses.
    ///
    /// Texts are cut at character boundaries. Properties and measurements whose key is longer than
    /// [`limits::KEY`] are dropped, as are numbers that JSON cannot express. Borrowed text stays
    /// borrowed: cutting allocates nothing.
    pub fn apply_limits(&mut self) {
        truncate(&mut self.i_key, limits::INSTRUMENTATION_KEY);
        if self.sample_rate.is_some_and(|rate| !rate.is_finite()) {
            self.sample_rate = None;
        }
        tags::apply_limits(&mut self.tags);
        self.data.apply_limits();
    }
}
