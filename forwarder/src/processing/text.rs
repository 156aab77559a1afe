//! The parts of an item that rules refer to.

use azmon::envelope::{Data, Envelope};

/// The type, in the singular form of the Azure Monitor table names.
pub(super) fn kind(data: &Data<'_>) -> &'static str {
    match data {
        Data::Request(_) => "request",
        Data::RemoteDependency(_) => "dependency",
        Data::Exception(_) => "exception",
        Data::Message(_) => "trace",
        Data::Event(_) => "customEvent",
        Data::Metric(_) => "customMetric",
        Data::Availability(_) => "availabilityResult",
        Data::PageView(_) => "pageView",
        Data::PageViewPerf(_) => "browserTiming",
    }
}

/// The name, or the text of a message or an exception.
pub(super) fn name<'a>(data: &'a Data<'_>) -> &'a str {
    match data {
        Data::Request(data) => &data.name,
        Data::RemoteDependency(data) => &data.name,
        Data::Exception(data) => data.exceptions.first().map_or("", |first| &first.message),
        Data::Message(data) => &data.message,
        Data::Event(data) => &data.name,
        Data::Metric(data) => data.metrics.first().map_or("", |first| &first.name),
        Data::Availability(data) => &data.name,
        Data::PageView(data) => &data.name,
        Data::PageViewPerf(data) => &data.page.name,
    }
}

/// The URL of a request or a page, or the data of a dependency.
pub(super) fn url<'a>(data: &'a Data<'_>) -> Option<&'a str> {
    match data {
        Data::Request(data) => data.url.as_deref(),
        Data::RemoteDependency(data) => data.data.as_deref(),
        Data::PageView(data) => data.url.as_deref(),
        Data::PageViewPerf(data) => data.page.url.as_deref(),
        _ => None,
    }
}

/// The result code of a request or a dependency.
pub(super) fn result_code<'a>(data: &'a Data<'_>) -> Option<&'a str> {
    match data {
        Data::Request(data) => Some(&data.response_code),
        Data::RemoteDependency(data) => data.result_code.as_deref(),
        _ => None,
    }
}

/// Whether a request, a dependency or an availability test succeeded.
pub(super) fn success(data: &Data<'_>) -> Option<bool> {
    match data {
        Data::Request(data) => Some(data.success),
        Data::RemoteDependency(data) => Some(data.success),
        Data::Availability(data) => Some(data.success),
        _ => None,
    }
}

/// The value of a tag; `None` if it is empty.
pub(super) fn tag<'a>(envelope: &'a Envelope<'_>, key: &str) -> Option<&'a str> {
    let value = envelope.tags.get(key).map(AsRef::as_ref);
    value.filter(|value| !value.is_empty())
}
