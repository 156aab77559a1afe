//! Facts about an envelope beside its fields: its role, the key that groups its errors, its weight.

use std::time::SystemTime;

use azmon_envelope::{Data, Envelope, tags};

/// The value of a metric, with the aggregates of a pre-aggregated one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct MetricValue {
    pub(crate) sum: f64,
    pub(crate) count: i64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// The role name. A page without a role name has its origin instead.
pub(crate) fn role(envelope: &Envelope<'_>, is_browser: bool) -> String {
    let role = envelope
        .tags
        .get(tags::CLOUD_ROLE)
        .map_or("", |role| role.as_ref());
    if !role.is_empty() || !is_browser {
        return role.to_owned();
    }
    let url = match &envelope.data {
        Data::PageView(data) => data.url.as_deref(),
        Data::PageViewPerf(data) => data.page.url.as_deref(),
        _ => None,
    };
    let host = url.and_then(|url| {
        let (_, rest) = url.split_once("://")?;
        rest.split(['/', '?', '#']).next()
    });
    match host {
        Some(host) if !host.is_empty() => host.to_owned(),
        _ => "browser".to_owned(),
    }
}

/// Whether a browser SDK sent the item, or only browsers send items of its kind.
pub(crate) fn is_browser(envelope: &Envelope<'_>) -> bool {
    let tag = |key| envelope.tags.get(key).map_or("", |value| value.as_ref());
    tag(tags::DEVICE_TYPE).eq_ignore_ascii_case("browser")
        || tag(tags::INTERNAL_SDK_VERSION).starts_with("javascript:")
        || matches!(envelope.data, Data::PageViewPerf(_))
}

/// The user of an item, as the name of a field and its value: the signed-in user, the anonymous user, or the session.
pub(crate) fn user<'a>(envelope: &'a Envelope<'_>) -> Option<(&'static str, &'a str)> {
    [
        ("user_AuthenticatedId", tags::USER_AUTH_USER_ID),
        ("user_Id", tags::USER_ID),
        ("session_Id", tags::SESSION_ID),
    ]
    .into_iter()
    .filter_map(|(field, tag)| Some((field, envelope.tags.get(tag)?.as_ref())))
    .find(|(_, id)| !id.is_empty())
}

/// The problem id that groups exceptions: the client's own, or type and method, as in the service.
pub(crate) fn problem_id(envelope: &Envelope<'_>) -> String {
    let Data::Exception(data) = &envelope.data else {
        return String::new();
    };
    if let Some(id) = data.problem_id.as_deref()
        && !id.is_empty()
    {
        return id.to_owned();
    }
    let type_name = data
        .exceptions
        .first()
        .and_then(|cause| cause.type_name.as_deref())
        .filter(|name| !name.is_empty())
        .unwrap_or("Error");
    let method = method(envelope);
    if method.is_empty() {
        type_name.to_owned()
    } else {
        format!("{type_name} at {method}")
    }
}

/// The method of the application's first own frame, or else of the first frame.
pub(crate) fn method(envelope: &Envelope<'_>) -> String {
    let Data::Exception(data) = &envelope.data else {
        return String::new();
    };
    let frames = || data.exceptions.iter().flat_map(|cause| &cause.parsed_stack);
    let own = frames()
        .find(|frame| crate::store::is_own_frame(&frame.method, frame.file_name.as_deref()));
    let method = own
        .or_else(|| frames().next())
        .map_or("", |frame| frame.method.as_ref());
    // One client sends the whole stack as one text.
    method.lines().next().unwrap_or_default().trim().to_owned()
}

pub(crate) fn own_id<'a>(data: &'a Data<'_>) -> Option<&'a str> {
    match data {
        Data::Request(data) => Some(&data.id),
        Data::RemoteDependency(data) => Some(&data.id),
        Data::Availability(data) => Some(&data.id),
        Data::PageView(data) => Some(&data.id),
        _ => None,
    }
}

pub(super) fn duration(envelope: &Envelope<'_>) -> Option<i64> {
    let span = match &envelope.data {
        Data::Request(data) => data.duration,
        Data::RemoteDependency(data) => data.duration,
        Data::Availability(data) => data.duration,
        Data::PageView(data) => data.duration?,
        Data::PageViewPerf(data) => data.perf_total.or(data.page.duration)?,
        _ => return None,
    };
    Some(i64::try_from(span.0.as_micros()).unwrap_or(i64::MAX))
}

/// The value with its aggregates. A value without a count is one measurement.
pub(crate) fn metric_value(data: &Data<'_>) -> Option<MetricValue> {
    let Data::Metric(data) = data else {
        return None;
    };
    let point = data.metrics.first()?;
    let count = point.count.unwrap_or(1).max(1);
    let mean = point.value / count as f64;
    Some(MetricValue {
        sum: point.value,
        count,
        min: point.min.unwrap_or(mean),
        max: point.max.unwrap_or(mean),
    })
}

/// The number of items that one item represents.
pub(crate) fn weight(sample_rate: Option<f64>) -> i64 {
    const MOST: f64 = 1_000_000.0;
    match sample_rate {
        Some(rate) if rate > 0.0 && rate < 100.0 => (100.0 / rate).round().min(MOST) as i64,
        _ => 1,
    }
}

/// Microseconds since 1970, limited to the years 1 to 9999.
pub(crate) fn micros(time: SystemTime) -> i64 {
    const LAST: i64 = 253_402_300_799_000_000;
    const FIRST: i64 = -62_135_596_800_000_000;
    let micros = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_micros()).unwrap_or(LAST),
        Err(before) => i64::try_from(before.duration().as_micros()).map_or(FIRST, |micros| -micros),
    };
    micros.clamp(FIRST, LAST)
}
