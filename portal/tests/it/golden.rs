use std::borrow::Cow;
use std::time::SystemTime;

use azmon_envelope::{
    AvailabilityData, Data, EventData, ExceptionData, Measurements, MessageData, MetricData,
    MetricKind, PageViewData, RemoteDependencyData, RequestData, SeverityLevel, StackFrame,
    TimeSpan,
};
use azmon_portal::{Item, ItemKind};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::Value;

use crate::client::{Harness, gzip};

/// A request that a real client sent.
#[derive(Deserialize)]
struct Recorded {
    method: String,
    path: String,
    headers: serde_json::Map<String, Value>,
    encoding: String,
    format: String,
    response_status: u16,
    body: Vec<Value>,
}

impl Recorded {
    fn bytes(&self) -> Vec<u8> {
        let text = match self.format.as_str() {
            "json-array" => serde_json::to_string(&self.body).unwrap(),
            "ndjson" => {
                let lines: Vec<_> = self.body.iter().map(Value::to_string).collect();
                lines.join("\n")
            }
            other => panic!("format {other}"),
        };
        match self.encoding.as_str() {
            "" => text.into_bytes(),
            "gzip" => gzip(text.as_bytes()),
            other => panic!("encoding {other}"),
        }
    }
}

const FILES: [(&str, &str); 6] = [
    (
        "node-applicationinsights-v2-track",
        include_str!("../golden/node-applicationinsights-v2-track.json"),
    ),
    (
        "opencensus-azure-logs",
        include_str!("../golden/opencensus-azure-logs.json"),
    ),
    (
        "opencensus-azure-metrics",
        include_str!("../golden/opencensus-azure-metrics.json"),
    ),
    (
        "opencensus-azure-traces",
        include_str!("../golden/opencensus-azure-traces.json"),
    ),
    (
        "otel-python-azsdk-blob",
        include_str!("../golden/otel-python-azsdk-blob.json"),
    ),
    (
        "otel-python-distro-track",
        include_str!("../golden/otel-python-distro-track.json"),
    ),
];

#[tokio::test]
async fn every_request_of_real_clients_is_stored_with_its_values() {
    for (file, text) in FILES {
        let recorded: Vec<Recorded> = serde_json::from_str(text).unwrap();
        assert!(!recorded.is_empty());
        for (index, recorded) in recorded.iter().enumerate() {
            replay(&format!("{file}[{index}]"), recorded).await;
        }
    }
}

async fn replay(case: &str, recorded: &Recorded) {
    let harness = Harness::start().await;
    let mut request = harness.request(&recorded.method, &recorded.path);
    for (name, value) in &recorded.headers {
        request = request.header(name, value.as_str().unwrap());
    }
    let response = request.body(recorded.bytes()).send().await.unwrap();
    let (status, answer) = (response.status().as_u16(), response.text().await.unwrap());
    assert_eq!(status, recorded.response_status, "{case}: {answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let count = recorded.body.len();
    let expected =
        serde_json::json!({"itemsReceived": count, "itemsAccepted": count, "errors": []});
    assert_eq!(answer, expected, "{case}");

    let stored = harness.portal.items();
    assert_eq!(stored.len(), count, "{case}");
    for (item, sent) in stored.iter().zip(&recorded.body) {
        assert_eq!(
            &serde_json::from_str::<Value>(item.json()).unwrap(),
            sent,
            "{case}"
        );
        assert_parsed(case, item, sent);
    }
    let listed = harness
        .items("?limit=1000&order=arrival&envelopes=true")
        .await;
    let envelopes: Vec<_> = listed.iter().rev().map(|item| &item["envelope"]).collect();
    assert_eq!(
        envelopes,
        recorded.body.iter().collect::<Vec<_>>(),
        "{case}"
    );
}

/// Compares a stored item with the sent one, field by field.
fn assert_parsed(case: &str, item: &Item, sent: &Value) {
    let envelope = item.envelope();
    assert_eq!(envelope.name, text(&sent["name"]), "{case}");
    assert_eq!(envelope.i_key, text(&sent["iKey"]), "{case}");
    assert_eq!(envelope.sample_rate, sent["sampleRate"].as_f64(), "{case}");
    assert_eq!(moment(envelope.time), moment_sent(&sent["time"]), "{case}");
    assert_texts(case, envelope.tags.iter(), &sent["tags"]);
    let data = &sent["data"]["baseData"];
    let properties = envelope.data.properties();
    assert_texts(case, properties.iter(), &data["properties"]);
    let expected = match &envelope.data {
        Data::Availability(read) => availability(read, data),
        Data::Event(read) => event(read, data),
        Data::Exception(read) => exception(read, data),
        Data::Message(read) => message(read, data),
        Data::Metric(read) => metric(read, data),
        Data::PageView(read) => page_view(read, data),
        Data::RemoteDependency(read) => dependency(read, data),
        Data::Request(read) => request(read, data),
        other @ Data::PageViewPerf(_) => panic!("{case}: no client was recorded sending {other:?}"),
    };
    let (base_type, kind) = expected;
    assert_eq!(sent["data"]["baseType"], base_type, "{case}");
    assert_eq!(item.kind(), kind, "{case}");
}

type Kind = (&'static str, ItemKind);

fn availability(read: &AvailabilityData<'_>, sent: &Value) -> Kind {
    assert_eq!(read.id, text(&sent["id"]));
    assert_eq!(read.name, text(&sent["name"]));
    assert_eq!(read.success, sent["success"].as_bool().unwrap());
    assert_eq!(seconds(read.duration), seconds_sent(&sent["duration"]));
    assert_optional(&read.run_location, &sent["runLocation"]);
    assert_optional(&read.message, &sent["message"]);
    ("AvailabilityData", ItemKind::AvailabilityResult)
}

fn event(read: &EventData<'_>, sent: &Value) -> Kind {
    assert_eq!(read.name, text(&sent["name"]));
    assert_numbers(&read.measurements, &sent["measurements"]);
    ("EventData", ItemKind::CustomEvent)
}

fn exception(read: &ExceptionData<'_>, sent: &Value) -> Kind {
    let causes = sent["exceptions"].as_array().unwrap();
    assert_eq!(read.exceptions.len(), causes.len());
    for (read, sent) in read.exceptions.iter().zip(causes) {
        assert_eq!(read.message, text(&sent["message"]));
        assert_optional(&read.type_name, &sent["typeName"]);
        assert_optional(&read.stack, &sent["stack"]);
        assert_stack(&read.parsed_stack, &sent["parsedStack"]);
    }
    assert_eq!(read.severity_level, severity(&sent["severityLevel"]));
    ("ExceptionData", ItemKind::Exception)
}

fn message(read: &MessageData<'_>, sent: &Value) -> Kind {
    assert_eq!(read.message, text(&sent["message"]));
    assert_eq!(read.severity_level, severity(&sent["severityLevel"]));
    ("MessageData", ItemKind::Trace)
}

fn metric(read: &MetricData<'_>, sent: &Value) -> Kind {
    let points = sent["metrics"].as_array().unwrap();
    assert_eq!(read.metrics.len(), points.len());
    for (read, sent) in read.metrics.iter().zip(points) {
        assert_eq!(read.name, text(&sent["name"]));
        assert_eq!(Some(read.value), sent["value"].as_f64());
        assert_eq!(read.count, sent["count"].as_i64());
        assert_eq!(read.min, sent["min"].as_f64());
        assert_eq!(read.max, sent["max"].as_f64());
        assert_eq!(read.std_dev, sent["stdDev"].as_f64());
        assert_eq!(read.kind, metric_kind(&sent["kind"]));
    }
    ("MetricData", ItemKind::CustomMetric)
}

fn page_view(read: &PageViewData<'_>, sent: &Value) -> Kind {
    assert_eq!(read.id, text(&sent["id"]));
    assert_eq!(read.name, text(&sent["name"]));
    assert_optional(&read.url, &sent["url"]);
    ("PageViewData", ItemKind::PageView)
}

fn dependency(read: &RemoteDependencyData<'_>, sent: &Value) -> Kind {
    assert_eq!(read.id, text(&sent["id"]));
    assert_eq!(read.name, text(&sent["name"]));
    assert_eq!(read.success, sent["success"].as_bool().unwrap_or(true));
    assert_eq!(seconds(read.duration), seconds_sent(&sent["duration"]));
    assert_optional(&read.dependency_type, &sent["type"]);
    assert_optional(&read.target, &sent["target"]);
    assert_optional(&read.data, &sent["data"]);
    assert_optional(&read.result_code, &sent["resultCode"]);
    ("RemoteDependencyData", ItemKind::Dependency)
}

fn request(read: &RequestData<'_>, sent: &Value) -> Kind {
    assert_eq!(read.id, text(&sent["id"]));
    assert_eq!(read.name, text(&sent["name"]));
    assert_eq!(read.response_code, text(&sent["responseCode"]));
    assert_eq!(read.success, sent["success"].as_bool().unwrap());
    assert_eq!(seconds(read.duration), seconds_sent(&sent["duration"]));
    assert_optional(&read.url, &sent["url"]);
    assert_optional(&read.source, &sent["source"]);
    ("RequestData", ItemKind::Request)
}

fn assert_optional(read: &Option<Cow<'_, str>>, sent: &Value) {
    assert_eq!(read.is_none(), sent.is_null(), "{sent}");
    assert_eq!(read.as_deref().unwrap_or_default(), text(sent));
}

/// Some clients send the whole stack as one text, which becomes one frame.
fn assert_stack(read: &[StackFrame<'_>], sent: &Value) {
    let methods: Vec<_> = read.iter().map(|frame| frame.method.to_string()).collect();
    let expected: Vec<_> = match sent {
        Value::Array(frames) => frames.iter().map(|frame| text(&frame["method"])).collect(),
        Value::Null => Vec::new(),
        stack => vec![text(stack)],
    };
    assert_eq!(methods, expected);
}

fn assert_numbers(read: &Measurements<'_>, sent: &Value) {
    let expected = sent.as_object().into_iter().flatten();
    let expected: Vec<_> = expected
        .map(|(key, value)| (key.as_str(), value.as_f64().unwrap()))
        .collect();
    let mut read: Vec<_> = read.iter().map(|(key, value)| (key, *value)).collect();
    read.sort_by_key(|(key, _)| *key);
    assert_eq!(read, expected);
}

fn assert_texts<'a, T: AsRef<str> + 'a>(
    case: &str,
    read: impl Iterator<Item = (&'a str, &'a T)>,
    sent: &Value,
) {
    let mut read: Vec<_> = read
        .map(|(key, value)| (key.to_owned(), value.as_ref().to_owned()))
        .collect();
    read.sort();
    let sent = sent.as_object().into_iter().flatten();
    let expected: Vec<_> = sent
        .filter(|(_, value)| !value.is_null())
        .map(|(key, value)| (key.clone(), text(value)))
        .collect();
    assert_eq!(read, expected, "{case}");
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn seconds(duration: TimeSpan) -> f64 {
    duration.0.as_secs_f64()
}

/// `[d.]hh:mm:ss.f`, parsed independently of the crate.
fn seconds_sent(duration: &Value) -> f64 {
    let text = duration.as_str().unwrap();
    let fields: Vec<_> = text.split(':').collect();
    let [hours, minutes, seconds] = fields.as_slice() else {
        panic!("duration {text}");
    };
    let (days, hours) = hours.split_once('.').unwrap_or(("0", hours));
    let number = |text: &str| text.parse::<f64>().unwrap();
    let seconds = number(seconds)
        + 60.0 * number(minutes)
        + 3_600.0 * number(hours)
        + 86_400.0 * number(days);
    (seconds * 1e7).round() / 1e7
}

fn severity(level: &Value) -> Option<SeverityLevel> {
    Some(match text(level).as_str() {
        "" => return None,
        "0" | "Verbose" => SeverityLevel::Verbose,
        "1" | "Information" => SeverityLevel::Information,
        "2" | "Warning" => SeverityLevel::Warning,
        "3" | "Error" => SeverityLevel::Error,
        "4" | "Critical" => SeverityLevel::Critical,
        other => panic!("severity {other}"),
    })
}

fn metric_kind(kind: &Value) -> Option<MetricKind> {
    match text(kind).as_str() {
        "" => None,
        "0" | "Measurement" => Some(MetricKind::Measurement),
        "1" | "Aggregation" => Some(MetricKind::Aggregation),
        other => panic!("metric kind {other}"),
    }
}

/// Nanoseconds since 1970.
fn moment(time: SystemTime) -> i128 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i128::try_from(since.as_nanos()).unwrap()
}

/// A time without a zone is in UTC.
fn moment_sent(time: &Value) -> i128 {
    let text = time.as_str().unwrap().trim_end_matches('Z');
    let time: DateTime = text.parse().unwrap();
    let zoned = time.to_zoned(TimeZone::UTC).unwrap();
    zoned.timestamp().as_nanosecond()
}
