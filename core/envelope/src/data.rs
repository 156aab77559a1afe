use serde::{Deserialize, Serialize};

use crate::{
    AvailabilityData, EventData, ExceptionData, MessageData, MetricData, PageViewData,
    PageViewPerfData, Properties, RemoteDependencyData, RequestData,
};

/// The payload of an [`Envelope`](crate::Envelope), by `baseType`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "baseType", content = "baseData")]
pub enum Data<'a> {
    /// An operation that the service performs for a caller.
    #[serde(rename = "RequestData")]
    Request(RequestData<'a>),
    /// A call to another service, a database or a queue, or a step inside the process.
    #[serde(rename = "RemoteDependencyData")]
    RemoteDependency(RemoteDependencyData<'a>),
    /// An error, with its causes and stacks.
    #[serde(rename = "ExceptionData")]
    Exception(ExceptionData<'a>),
    /// A log record.
    #[serde(rename = "MessageData")]
    Message(MessageData<'a>),
    /// A custom event.
    #[serde(rename = "EventData")]
    Event(EventData<'a>),
    /// A measured value, or an aggregation of many.
    #[serde(rename = "MetricData")]
    Metric(MetricData<'a>),
    /// The result of an availability test.
    #[serde(rename = "AvailabilityData")]
    Availability(AvailabilityData<'a>),
    /// A page shown in a browser.
    #[serde(rename = "PageViewData", alias = "PageviewData")]
    PageView(PageViewData<'a>),
    /// The time that a browser took to show a page.
    #[serde(
        rename = "PageViewPerfData",
        alias = "PageViewPerformanceData",
        alias = "PageviewPerformanceData"
    )]
    PageViewPerf(PageViewPerfData<'a>),
}

impl<'a> Data<'a> {
    /// The envelope's `name` for this payload.
    #[must_use]
    pub fn envelope_name(&self) -> &'static str {
        match self {
            Self::Request(_) => "Microsoft.ApplicationInsights.Request",
            Self::RemoteDependency(_) => "Microsoft.ApplicationInsights.RemoteDependency",
            Self::Exception(_) => "Microsoft.ApplicationInsights.Exception",
            Self::Message(_) => "Microsoft.ApplicationInsights.Message",
            Self::Event(_) => "Microsoft.ApplicationInsights.Event",
            Self::Metric(_) => "Microsoft.ApplicationInsights.Metric",
            Self::Availability(_) => "Microsoft.ApplicationInsights.Availability",
            Self::PageView(_) => "Microsoft.ApplicationInsights.PageView",
            Self::PageViewPerf(_) => "Microsoft.ApplicationInsights.PageViewPerf",
        }
    }

    /// The custom dimensions of the payload.
    #[must_use]
    pub fn properties(&self) -> &Properties<'a> {
        match self {
            Self::Request(data) => &data.properties,
            Self::RemoteDependency(data) => &data.properties,
            Self::Exception(data) => &data.properties,
            Self::Message(data) => &data.properties,
            Self::Event(data) => &data.properties,
            Self::Metric(data) => &data.properties,
            Self::Availability(data) => &data.properties,
            Self::PageView(data) => &data.properties,
            Self::PageViewPerf(data) => &data.page.properties,
        }
    }

    /// The custom dimensions of the payload, mutable.
    pub fn properties_mut(&mut self) -> &mut Properties<'a> {
        match self {
            Self::Request(data) => &mut data.properties,
            Self::RemoteDependency(data) => &mut data.properties,
            Self::Exception(data) => &mut data.properties,
            Self::Message(data) => &mut data.properties,
            Self::Event(data) => &mut data.properties,
            Self::Metric(data) => &mut data.properties,
            Self::Availability(data) => &mut data.properties,
            Self::PageView(data) => &mut data.properties,
            Self::PageViewPerf(data) => &mut data.page.properties,
        }
    }

    pub(super) fn apply_limits(&mut self) {
        match self {
            Self::Request(data) => data.apply_limits(),
            Self::RemoteDependency(data) => data.apply_limits(),
            Self::Exception(data) => data.apply_limits(),
            Self::Message(data) => data.apply_limits(),
            Self::Event(data) => data.apply_limits(),
            Self::Metric(data) => data.apply_limits(),
            Self::Availability(data) => data.apply_limits(),
            Self::PageView(data) => data.apply_limits(),
            Self::PageViewPerf(data) => data.page.apply_limits(),
        }
        self.properties_mut().apply_property_limits();
    }
}
