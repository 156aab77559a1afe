//! Points of clients, in all forms of real clients.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The maximum length of a name, in characters.
const MAX_NAME: usize = 256;
/// The maximum number of metrics in a point.
const MAX_METRICS: usize = 512;
/// The maximum number of samples in a point.
const MAX_DOCUMENTS: usize = 1_000;
/// The maximum lengths of a text of a sample, of its stack, and of a property, in characters.
const MAX_TEXT: usize = 4_096;
const MAX_STACK: usize = 16_384;
const MAX_PROPERTY: usize = 2_048;
/// The maximum number of properties and streams of a sample; clients send ten properties.
const MAX_PAIRS: usize = 16;
/// The maximum number of errors in a point.
const MAX_ERRORS: usize = 64;

/// The readable parts of a `MonitoringDataPoint`.
#[derive(Debug, Default)]
pub(crate) struct Point {
    pub(crate) version: String,
    pub(crate) invariant_version: i64,
    pub(crate) instance: String,
    pub(crate) role: String,
    pub(crate) machine: String,
    pub(crate) stream: String,
    pub(crate) measures_process: Option<bool>,
    /// Milliseconds since 1970, for the order of a post's points and the detection of repeated ones.
    pub(crate) timestamp: Option<i64>,
    /// Value and weight by name.
    pub(crate) metrics: BTreeMap<String, (f64, f64)>,
    pub(crate) documents: Vec<Value>,
    pub(crate) errors: Vec<ReportedError>,
    pub(crate) is_quota_reached: bool,
}

/// An error of the configuration that a client reports.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct ReportedError {
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) message: String,
    /// The affected chart or stream, if the client names it.
    pub(crate) of: Option<String>,
}

impl Point {
    pub(crate) fn read(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let list = |key: &str| {
            object
                .get(key)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        };
        let name = |key: &str| text(object, key);
        Some(Self {
            version: name("Version"),
            invariant_version: object
                .get("InvariantVersion")
                .and_then(integer)
                .unwrap_or(0),
            instance: name("Instance"),
            role: name("RoleName"),
            machine: name("MachineName"),
            stream: name("StreamId"),
            measures_process: object
                .get("PerformanceCollectionSupported")
                .and_then(Value::as_bool),
            timestamp: object.get("Timestamp").and_then(milliseconds),
            metrics: list("Metrics")
                .take(MAX_METRICS)
                .filter_map(metric)
                .collect(),
            documents: list("Documents")
                .take(MAX_DOCUMENTS)
                .filter_map(document)
                .collect(),
            errors: list("CollectionConfigurationErrors")
                .take(MAX_ERRORS)
                .filter_map(error)
                .collect(),
            is_quota_reached: object
                .get("GlobalDocumentQuotaReached")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
        })
    }
}

/// A time: `/Date(1700000000000)/`, an object with that as `DateTime`, or RFC 3339 with or without a zone.
pub(crate) fn milliseconds(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Object(object) => object.get("DateTime")?.as_str()?,
        Value::String(text) => text,
        _ => return None,
    };
    if let Some(rest) = text.strip_prefix("/Date(") {
        let end = rest
            .char_indices()
            .find(|(at, letter)| !(letter.is_ascii_digit() || (*at == 0 && *letter == '-')))
            .map_or(rest.len(), |(at, _)| at);
        return rest.get(..end)?.parse().ok();
    }
    let timestamp = text
        .parse::<Timestamp>()
        .or_else(|_| format!("{text}Z").parse::<Timestamp>());
    timestamp.ok().map(Timestamp::as_millisecond)
}

/// A duration in milliseconds: ISO 8601, optionally with years and months, or a .NET `TimeSpan`.
fn duration(text: &str) -> Option<f64> {
    if let Some(rest) = text.strip_prefix('P') {
        let (days, time) = rest.split_once('T').unwrap_or((rest, ""));
        let mut seconds = 0.0;
        for (part, units) in [
            (
                days,
                &[
                    ('Y', 31_536_000.0),
                    ('M', 2_592_000.0),
                    ('W', 604_800.0),
                    ('D', 86_400.0),
                ][..],
            ),
            (time, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)][..]),
        ] {
            let mut number = String::new();
            for letter in part.chars() {
                if letter.is_ascii_digit() || letter == '.' {
                    number.push(letter);
                    continue;
                }
                let (_, unit) = units.iter().find(|(known, _)| *known == letter)?;
                seconds += lenient_number(&number)? * unit;
                number.clear();
            }
            if !number.is_empty() {
                return None;
            }
        }
        return Some(seconds * 1_000.0);
    }
    azmon::live_metrics::parse_ticks(text).map(|ticks| ticks as f64 / 10_000.0)
}

/// Python writes `5.0.123` for 5.123.
fn lenient_number(text: &str) -> Option<f64> {
    match (text.split_once('.'), text.rsplit_once('.')) {
        (Some((whole, rest)), Some((_, fraction))) if rest != fraction => {
            format!("{whole}.{fraction}").parse().ok()
        }
        _ => text.parse().ok(),
    }
}

fn metric(value: &Value) -> Option<(String, (f64, f64))> {
    let object = value.as_object()?;
    let name = text(object, "Name");
    let number = |key: &str| match object.get(key) {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let value = number("Value").filter(|value: &f64| value.is_finite());
    let weight = number("Weight").filter(|weight: &f64| weight.is_finite() && *weight >= 0.0);
    Some((name, (value?, weight.unwrap_or(1.0))))
}

/// A sample in the portal's form. Numeric codes become texts; the members of a sample determine a missing type.
fn document(value: &Value) -> Option<Value> {
    let object = value.as_object()?;
    let optional = |key: &str| {
        let limit = if key == "Exception" {
            MAX_STACK
        } else {
            MAX_TEXT
        };
        match object.get(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(cut(text, limit)),
            Some(other) => Some(cut(&other.to_string(), limit)),
        }
    };
    let has = |key: &str| object.contains_key(key);
    let declared = optional("DocumentType");
    let kind = match declared.as_deref() {
        Some("Request") => "request",
        Some("RemoteDependency" | "Dependency") => "dependency",
        Some("Exception") => "exception",
        Some("Trace") => "trace",
        Some("Event") => "event",
        _ if has("ExceptionType") || has("ExceptionMessage") => "exception",
        _ if has("ResponseCode") || has("Url") => "request",
        _ if has("CommandName") || has("ResultCode") => "dependency",
        _ if has("Message") => "trace",
        _ => "event",
    };
    let properties: Map<String, Value> = object
        .get("Properties")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(pair)
        .take(MAX_PAIRS)
        .map(|(key, value)| (key, Value::String(value)))
        .collect();
    let streams: Vec<String> = object
        .get("DocumentStreamIds")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .take(MAX_PAIRS)
        .map(|id| cut(id, MAX_NAME))
        .collect();
    let name = match kind {
        "exception" => optional("ExceptionType"),
        "trace" => optional("Message"),
        _ => optional("Name"),
    };
    Some(serde_json::json!({
        "kind": kind,
        "streams": streams,
        "happened": object.get("Timestamp").or_else(|| object.get("StartTime")).and_then(milliseconds),
        "name": name.unwrap_or_default(),
        "message": if kind == "exception" { optional("ExceptionMessage") } else { None },
        "command": if kind == "request" { optional("Url") } else { optional("CommandName") },
        "code": if kind == "request" { optional("ResponseCode") } else { optional("ResultCode") },
        "durationMs": optional("Duration").and_then(|text| duration(&text)),
        "success": object.get("Success").and_then(Value::as_bool),
        "target": optional("Target"),
        "type": optional("DependencyTypeName"),
        "severity": optional("SeverityLevel"),
        "stack": optional("Exception"),
        "operationId": optional("OperationId"),
        "operationName": optional("OperationName"),
        "properties": properties,
    }))
}

fn error(value: &Value) -> Option<ReportedError> {
    let object = value.as_object()?;
    let data = object.get("Data").and_then(Value::as_array);
    let mut pairs = data.into_iter().flatten().filter_map(pair);
    let is_id = |key: &str| ["MetricId", "DocumentStreamId", "DocumentStreamInfoId"].contains(&key);
    Some(ReportedError {
        kind: text(object, "CollectionConfigurationErrorType"),
        message: text(object, "Message"),
        of: pairs.find(|(key, _)| is_id(key)).map(|(_, id)| id),
    })
}

/// `{key, value}`, in upper or lower case.
fn pair(value: &Value) -> Option<(String, String)> {
    let object = value.as_object()?;
    let member = |upper: &str, lower: &str, limit| {
        let value = object.get(lower).or_else(|| object.get(upper))?;
        Some(match value.as_str() {
            Some(text) => cut(text, limit),
            None => cut(&value.to_string(), limit),
        })
    };
    let key = member("Key", "key", MAX_NAME)?;
    Some((key, member("Value", "value", MAX_PROPERTY)?))
}

fn integer(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn text(object: &Map<String, Value>, key: &str) -> String {
    let text = object.get(key).and_then(Value::as_str);
    cut(text.unwrap_or_default(), MAX_NAME)
}

fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_client_are_read() {
        for (text, expected) in [
            (
                serde_json::json!("/Date(1700000000123)/"),
                Some(1_700_000_000_123),
            ),
            (
                serde_json::json!({"DateTime": "/Date(-5+0100)/", "OffsetMinutes": 60}),
                Some(-5),
            ),
            (
                serde_json::json!("2023-11-14T22:13:20.123Z"),
                Some(1_700_000_000_123),
            ),
            (
                serde_json::json!("2023-11-14T22:13:20.123456"),
                Some(1_700_000_000_123),
            ),
            (serde_json::json!("now"), None),
            (serde_json::json!(5), None),
        ] {
            assert_eq!(milliseconds(&text), expected, "{text}");
        }
    }

    #[test]
    fn durations_of_every_client_are_read() {
        for (text, expected) in [
            ("PT0.1234567S", Some(123.4567)),
            ("P0.0Y0.0M0.0DT0.0H0.0M1.5S", Some(1_500.0)),
            ("P0.0Y0.0M0.0DT0.0H0.0M5.0.123S", Some(5_123.0)),
            ("P1DT1H", Some(90_000_000.0)),
            ("00:00:00.1234567", Some(123.4567)),
            ("PT5", None),
            ("soon", None),
        ] {
            let found = duration(text);
            let is_right = match (found, expected) {
                (Some(found), Some(expected)) => (found - expected).abs() < 1e-6,
                (found, expected) => found == expected,
            };
            assert!(is_right, "{text}: {found:?}");
        }
    }

    #[test]
    fn a_sample_is_bounded_in_all_its_parts() {
        let long = "x".repeat(100_000);
        let pairs: Vec<_> = (0..1_000)
            .map(|key| serde_json::json!({"key": format!("{key}{long}"), "value": long}))
            .collect();
        let streams = vec![long.as_str(); 1_000];
        let sample = document(&serde_json::json!({
            "DocumentType": "Exception", "ExceptionType": long, "ExceptionMessage": long, "Exception": long,
            "OperationId": long, "OperationName": long, "Target": long, "CommandName": long,
            "Properties": pairs, "DocumentStreamIds": streams,
        }));
        let length = sample.unwrap().to_string().len();
        assert!(length < 100_000, "{length}");
    }

    #[test]
    fn the_members_of_a_sample_determine_a_missing_type() {
        for (value, kind) in [
            (serde_json::json!({"ExceptionMessage": "x"}), "exception"),
            (serde_json::json!({"Url": "/"}), "request"),
            (serde_json::json!({"CommandName": "SELECT"}), "dependency"),
            (serde_json::json!({"Message": "x"}), "trace"),
            (serde_json::json!({"Name": "x"}), "event"),
        ] {
            assert_eq!(document(&value).unwrap()["kind"], kind);
        }
    }
}
