//! Converts items of the gRPC contracts to envelopes, field by field.
//!
//! The sample rate and every data point are kept, and dates of any precision are parsed. A request without a
//! success flag succeeded if its response code is below 400; a dependency without one succeeded.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use azmon::envelope::{
    AvailabilityData, Data, Envelope, EventData, ExceptionData, ExceptionDetails, Measurements,
    MessageData, MetricData, MetricKind, MetricPoint, PageViewData, Properties,
    RemoteDependencyData, RequestData, SCHEMA_VERSION, SeverityLevel, StackFrame, TimeSpan, tags,
};

use crate::proto::contracts as proto;
use crate::proto::contracts::telemetry;

/// The number of significant digits in a fraction of a second.
const MOST_DIGITS: usize = 9;

/// The envelope of an item; `None` for an item without data.
pub(super) fn to_envelope(item: proto::Telemetry) -> Option<Envelope<'static>> {
    let time = parse_time(&item.date_time).unwrap_or_else(SystemTime::now);
    let mut envelope = Envelope::new(time, to_data(item.data?));
    envelope.i_key = Cow::Owned(item.instrumentation_key);
    envelope.sample_rate = item.sampling_rate;
    for (key, value) in item.tags {
        let value = if key == tags::INTERNAL_SDK_VERSION {
            format!("lf_{value}")
        } else {
            value
        };
        envelope.tags.push(key, value);
    }
    Some(envelope)
}

fn to_data(data: telemetry::Data) -> Data<'static> {
    match data {
        telemetry::Data::Event(event) => Data::Event(EventData {
            ver: SCHEMA_VERSION,
            name: Cow::Owned(event.name),
            properties: properties(event.properties),
            measurements: measurements(event.measurements),
        }),
        telemetry::Data::Message(message) => Data::Message(MessageData {
            ver: SCHEMA_VERSION,
            severity_level: severity(message.severity_level()),
            message: Cow::Owned(message.message),
            properties: properties(message.properties),
            measurements: Measurements::new(),
        }),
        telemetry::Data::Metric(metric) => Data::Metric(MetricData {
            ver: SCHEMA_VERSION,
            metrics: metric.metrics.into_iter().map(point).collect(),
            properties: properties(metric.properties),
        }),
        telemetry::Data::Exception(exception) => Data::Exception(ExceptionData {
            ver: SCHEMA_VERSION,
            severity_level: severity(exception.severity_level()),
            exceptions: exception.exceptions.into_iter().map(details).collect(),
            problem_id: text(exception.problem_id),
            properties: properties(exception.properties),
            measurements: measurements(exception.measurements),
        }),
        telemetry::Data::Dependency(dependency) => Data::RemoteDependency(RemoteDependencyData {
            ver: SCHEMA_VERSION,
            id: Cow::Owned(dependency.id),
            name: Cow::Owned(dependency.name),
            result_code: text(dependency.result_code),
            data: text(dependency.data),
            dependency_type: text(dependency.r#type),
            target: text(dependency.target),
            duration: span(dependency.duration),
            success: dependency.success.unwrap_or(true),
            properties: properties(dependency.properties),
            measurements: measurements(dependency.measurements),
        }),
        telemetry::Data::Availability(result) => Data::Availability(AvailabilityData {
            ver: SCHEMA_VERSION,
            id: Cow::Owned(result.id),
            name: Cow::Owned(result.name),
            duration: span(result.duration),
            success: result.success,
            run_location: text(result.run_location),
            message: text(result.message),
            properties: properties(result.properties),
            measurements: measurements(result.measurements),
        }),
        telemetry::Data::PageView(page) => {
            let event = page.event.unwrap_or_default();
            Data::PageView(PageViewData {
                ver: SCHEMA_VERSION,
                id: Cow::Owned(page.id),
                name: Cow::Owned(event.name),
                url: text(page.url),
                duration: page.duration.map(|duration| span(Some(duration))),
                referrer_uri: text(page.referrer_uri),
                properties: properties(event.properties),
                measurements: measurements(event.measurements),
            })
        }
        telemetry::Data::Request(request) => {
            let code = request.response_code.trim().parse::<u16>();
            Data::Request(RequestData {
                ver: SCHEMA_VERSION,
                id: Cow::Owned(request.id),
                name: Cow::Owned(request.name),
                duration: span(request.duration),
                success: request
                    .success
                    .unwrap_or_else(|| code.is_ok_and(|code| code < 400)),
                response_code: Cow::Owned(request.response_code),
                source: text(request.source),
                url: text(request.url),
                properties: properties(request.properties),
                measurements: measurements(request.measurements),
            })
        }
    }
}

fn point(point: proto::DataPoint) -> MetricPoint<'static> {
    MetricPoint {
        kind: Some(match point.kind() {
            proto::DataPointType::Measurement => MetricKind::Measurement,
            proto::DataPointType::Aggregation => MetricKind::Aggregation,
        }),
        namespace: text(point.ns),
        name: Cow::Owned(point.name),
        value: point.value,
        count: point.count.map(i64::from),
        min: point.min,
        max: point.max,
        std_dev: point.std_dev,
    }
}

fn details(details: proto::ExceptionDetails) -> ExceptionDetails<'static> {
    let frame = |frame: proto::StackFrame| StackFrame {
        level: i64::from(frame.level),
        method: Cow::Owned(frame.method),
        assembly: text(frame.assembly),
        file_name: text(frame.file_name),
        line: (frame.line != 0).then(|| i64::from(frame.line)),
    };
    ExceptionDetails {
        id: Some(i64::from(details.id)),
        outer_id: Some(i64::from(details.outer_id)),
        type_name: text(details.type_name),
        message: Cow::Owned(details.message),
        has_full_stack: details.has_full_stack,
        stack: text(details.stack),
        parsed_stack: details.parsed_stack.into_iter().map(frame).collect(),
    }
}

fn severity(level: proto::SeverityLevel) -> Option<SeverityLevel> {
    Some(match level {
        proto::SeverityLevel::Unknown => return None,
        proto::SeverityLevel::Verbose => SeverityLevel::Verbose,
        proto::SeverityLevel::Information => SeverityLevel::Information,
        proto::SeverityLevel::Warning => SeverityLevel::Warning,
        proto::SeverityLevel::Error => SeverityLevel::Error,
        proto::SeverityLevel::Critical => SeverityLevel::Critical,
    })
}

/// A text. The contracts represent a missing text as an empty one.
fn text(text: String) -> Option<Cow<'static, str>> {
    (!text.is_empty()).then_some(Cow::Owned(text))
}

fn properties(map: BTreeMap<String, String>) -> Properties<'static> {
    let pairs = map.into_iter();
    pairs
        .map(|(key, value)| (Cow::Owned(key), Cow::Owned(value)))
        .collect()
}

fn measurements(map: BTreeMap<String, f64>) -> Measurements<'static> {
    let pairs = map.into_iter();
    pairs.map(|(key, value)| (Cow::Owned(key), value)).collect()
}

/// Converts a duration. A negative duration counts as zero.
fn span(duration: Option<prost_types::Duration>) -> TimeSpan {
    let duration = duration.and_then(|duration| Duration::try_from(duration).ok());
    TimeSpan(duration.unwrap_or_default())
}

/// Parses an ISO 8601 time, with a fraction of any length, in UTC or with a time zone.
fn parse_time(text: &str) -> Option<SystemTime> {
    let mut shortened = String::with_capacity(text.len());
    let mut digits = None;
    for character in text.trim().chars() {
        digits = match (character, digits) {
            ('.', None) => Some(0),
            (digit, Some(count)) if digit.is_ascii_digit() => Some(count + 1),
            _ => None,
        };
        if digits.is_none_or(|count| count <= MOST_DIGITS) {
            shortened.push(character);
        }
    }
    let zoned = shortened.parse::<jiff::Timestamp>();
    let time = zoned.or_else(|_| {
        let local: jiff::civil::DateTime = shortened.parse()?;
        local
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(jiff::Timestamp::from)
    });
    time.ok().map(SystemTime::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_any_precision_are_read() {
        let expected = SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789);
        for text in [
            "2023-11-14T22:13:20.123456789Z",
            "2023-11-14T22:13:20.123456789123Z",
            "2023-11-14T23:13:20.123456789123+01:00",
            " 2023-11-14T22:13:20.123456789",
        ] {
            assert_eq!(parse_time(text), Some(expected), "{text}");
        }
        assert_eq!(parse_time("14 November"), None);
    }
}
