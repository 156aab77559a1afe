//! Items in the form of responses.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use azmon_envelope::{Data, tags};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::api::time::Time;
use crate::store::said::{metric_value, micros, own_id, problem_id};
use crate::store::{Item, is_own_frame, span_id};

/// One item in a list.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ItemView {
    pub(super) id: u64,
    item_type: &'static str,
    pub(super) timestamp: Time,
    received: Time,
    pub(super) name: String,
    i_key: String,
    pub(super) operation_id: Option<String>,
    operation_name: Option<String>,
    operation_parent_id: Option<String>,
    span_id: Option<String>,
    pub(super) duration_ms: Option<f64>,
    pub(super) result_code: Option<String>,
    pub(super) success: Option<bool>,
    severity: Option<u8>,
    r#type: Option<String>,
    target: Option<String>,
    data: Option<String>,
    value: Option<f64>,
    value_count: Option<i64>,
    problem_id: Option<String>,
    pub(super) role_name: Option<String>,
    role_instance: Option<String>,
    application_version: Option<String>,
    user_id: Option<String>,
    session_id: Option<String>,
    synthetic_source: Option<String>,
    client_type: Option<String>,
    item_count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<Box<RawValue>>,
}

impl ItemView {
    pub(super) fn new(item: &Item) -> Self {
        let tag = |key| item.tag(key).map(str::to_owned);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        let value = metric_value(&item.envelope().data);
        let problem = problem_id(item.envelope());
        let role = item.role();
        Self {
            id: item.id(),
            item_type: item.kind().as_str(),
            timestamp: Time(micros(item.envelope().time)),
            received: Time(micros(item.received())),
            name: item.name().into_owned(),
            i_key: item.envelope().i_key.clone().into_owned(),
            operation_id: tag(tags::OPERATION_ID),
            operation_name: tag(tags::OPERATION_NAME),
            operation_parent_id: tag(tags::OPERATION_PARENT_ID),
            span_id: own_id(&item.envelope().data)
                .filter(|id| !id.is_empty())
                .map(|id| span_id(id).to_owned()),
            duration_ms: item
                .duration()
                .map(|duration| duration.as_secs_f64() * 1_000.0),
            result_code: owned(item.result_code()),
            success: item.success(),
            severity: item.severity(),
            r#type: owned(item.type_name()),
            target: owned(item.target()),
            data: owned(item.command()),
            value: value
                .map(|value| value.sum)
                .filter(|value| value.is_finite()),
            value_count: value.map(|value| value.count),
            problem_id: (!problem.is_empty()).then_some(problem),
            role_name: (!role.is_empty()).then(|| role.into_owned()),
            role_instance: tag(tags::CLOUD_ROLE_INSTANCE),
            application_version: tag(tags::APPLICATION_VERSION),
            user_id: tag(tags::USER_ID),
            session_id: tag(tags::SESSION_ID),
            synthetic_source: tag(tags::OPERATION_SYNTHETIC_SOURCE),
            client_type: tag(tags::DEVICE_TYPE),
            item_count: item.count(),
            envelope: None,
        }
    }

    pub(super) fn with_envelope(mut self, item: &Item) -> Self {
        self.envelope = Some(item.raw_json().to_owned());
        self
    }
}

/// A name and its value, as text.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FieldView {
    pub(super) name: String,
    pub(super) value: String,
}

impl FieldView {
    pub(super) fn new(name: &str, value: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            value: value.into(),
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Frame {
    level: i64,
    method: String,
    assembly: Option<String>,
    file_name: Option<String>,
    line: Option<i64>,
    is_own: bool,
}

/// One error of an exception.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cause {
    type_name: String,
    message: String,
    stack: Option<String>,
    frames: Vec<Frame>,
}

pub(super) fn causes(item: &Item) -> Vec<Cause> {
    let Data::Exception(data) = &item.envelope().data else {
        return Vec::new();
    };
    let owned = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let causes = data.exceptions.iter().map(|cause| Cause {
        type_name: cause.type_name.as_deref().unwrap_or("Error").to_owned(),
        message: cause.message.clone().into_owned(),
        stack: owned(&cause.stack),
        frames: cause
            .parsed_stack
            .iter()
            .map(|frame| Frame {
                level: frame.level,
                method: frame.method.clone().into_owned(),
                assembly: owned(&frame.assembly),
                file_name: owned(&frame.file_name),
                line: frame.line,
                is_own: is_own_frame(&frame.method, frame.file_name.as_deref()),
            })
            .collect(),
    });
    causes.collect()
}

pub(super) fn properties(item: &Item) -> Vec<FieldView> {
    let pairs = item.envelope().data.properties().iter();
    pairs
        .map(|(name, value)| FieldView::new(name, value.as_ref()))
        .collect()
}

pub(super) fn measurements(item: &Item) -> BTreeMap<String, f64> {
    let pairs = item.measurements().into_iter().flat_map(|map| map.iter());
    pairs
        .filter(|(_, value)| value.is_finite())
        .map(|(name, value)| (name.to_owned(), *value))
        .collect()
}

/// One item with all of its data.
#[derive(Debug, Serialize)]
pub(super) struct FullItem {
    item: ItemView,
    fields: Vec<FieldView>,
    properties: Vec<FieldView>,
    measurements: BTreeMap<String, f64>,
    tags: Vec<FieldView>,
    causes: Vec<Cause>,
    related: usize,
    cut: Vec<String>,
    envelope: Box<RawValue>,
}

impl FullItem {
    pub(super) fn new(item: &Item, related: usize) -> Self {
        let tags = item.envelope().tags.iter();
        let mut cut: Vec<_> = crate::store::checks::of(item.envelope(), SystemTime::now())
            .into_iter()
            .filter(|check| check.id == crate::store::checks::CheckId::Cut)
            .map(|check| check.detail)
            .collect();
        cut.dedup();
        Self {
            item: ItemView::new(item),
            fields: fields(item),
            properties: properties(item),
            measurements: measurements(item),
            tags: tags
                .map(|(name, value)| FieldView::new(name, value.as_ref()))
                .collect(),
            causes: causes(item),
            related,
            cut,
            envelope: item.raw_json().to_owned(),
        }
    }
}

/// The performance buckets of Application Insights, by their upper bounds in milliseconds.
const BUCKETS: [(f64, &str); 10] = [
    (250.0, "<250ms"),
    (500.0, "250ms-500ms"),
    (1_000.0, "500ms-1sec"),
    (3_000.0, "1sec-3sec"),
    (7_000.0, "3sec-7sec"),
    (15_000.0, "7sec-15sec"),
    (30_000.0, "15sec-30sec"),
    (60_000.0, "30sec-1min"),
    (120_000.0, "1min-2min"),
    (300_000.0, "2min-5min"),
];

pub(super) fn performance_bucket(milliseconds: f64) -> &'static str {
    BUCKETS
        .iter()
        .find(|(end, _)| milliseconds < *end)
        .map_or(">=5min", |(_, name)| name)
}

/// The additional columns of the item's table, which lists omit.
fn fields(item: &Item) -> Vec<FieldView> {
    let mut found = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            found.push(FieldView::new(name, value));
        }
    };
    let text = |text: &Option<Cow<'_, str>>| text.as_deref().map(str::to_owned);
    match &item.envelope().data {
        Data::Request(data) => {
            add("url", text(&data.url));
            add("source", text(&data.source));
        }
        Data::RemoteDependency(data) => add("data", text(&data.data)),
        Data::Message(data) => add("message", Some(data.message.clone().into_owned())),
        Data::Metric(data) => {
            if let Some(point) = data.metrics.first() {
                add("value", Some(point.value.to_string()));
                add("valueCount", point.count.map(|count| count.to_string()));
                add("valueMin", point.min.map(|value| value.to_string()));
                add("valueMax", point.max.map(|value| value.to_string()));
                add("valueStdDev", point.std_dev.map(|value| value.to_string()));
                add("namespace", text(&point.namespace));
            }
        }
        Data::Availability(data) => {
            add("location", text(&data.run_location));
            add("message", text(&data.message));
        }
        Data::PageView(data) => {
            add("url", text(&data.url));
            add("referrerUri", text(&data.referrer_uri));
        }
        Data::PageViewPerf(data) => {
            add("url", text(&data.page.url));
            for (name, span) in [
                ("networkDuration", data.network_connect),
                ("sendDuration", data.sent_request),
                ("receiveDuration", data.received_response),
                ("processingDuration", data.dom_processing),
                ("totalDuration", data.perf_total),
            ] {
                add(
                    name,
                    span.map(|span| (span.0.as_secs_f64() * 1_000.0).to_string()),
                );
            }
        }
        _ => {}
    }
    let bucket = item
        .duration()
        .map(|duration| performance_bucket(duration.as_secs_f64() * 1_000.0));
    add("performanceBucket", bucket.map(str::to_owned));
    add("itemCount", Some(item.count().to_string()));
    found
}
