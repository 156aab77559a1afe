//! The standard metrics of Azure Monitor: requests and dependencies counted before sampling, with the names and
//! dimensions of azmon's own standard metrics.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use azmon::envelope::{
    Data, Envelope, MetricData, MetricKind, MetricPoint, Properties, SCHEMA_VERSION, tags,
};

use crate::processing::text;

/// The property that tells Azure Monitor that a standard metric has counted the item.
const COUNTED: &str = "_MS.ProcessedByMetricExtractors";

/// The maximum number of series in an interval. Further series of each kind are combined into one.
const MOST_SERIES: usize = 5_000;

/// The value of dimensions in a combined series.
const OVERFLOW: &str = "DIMENSION-CAPPED";

/// Counts requests and dependencies.
#[derive(Debug, Default)]
pub(super) struct StandardMetrics {
    series: Mutex<HashMap<Series, Aggregate>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Series {
    /// The destinations' indices and the instrumentation key: metrics go where the items go.
    to: Vec<usize>,
    instrumentation_key: String,
    role: String,
    instance: String,
    sdk_version: String,
    result_code: String,
    success: bool,
    synthetic: bool,
    /// Type and target; `None` for a request.
    dependency: Option<(String, String)>,
}

#[derive(Debug, Clone, Copy)]
struct Aggregate {
    /// In milliseconds.
    sum: f64,
    count: f64,
    min: f64,
    max: f64,
}

impl StandardMetrics {
    /// Counts an item, and marks it as counted. Items with the mark are skipped.
    pub(super) fn count(&self, envelope: &mut Envelope<'static>, to: &[usize]) {
        if envelope.data.properties().get(COUNTED).is_some() {
            return;
        }
        let (duration, extractor) = match &envelope.data {
            Data::Request(data) => (data.duration.0, "(Name:'Requests', Ver:'1.1')"),
            Data::RemoteDependency(data) => (data.duration.0, "(Name:'Dependencies', Ver:'1.1')"),
            _ => return,
        };
        let rate = envelope
            .sample_rate
            .filter(|rate| *rate > 0.0 && *rate <= 100.0);
        let count = 100.0 / rate.unwrap_or(100.0);
        let series = series(envelope, to);
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = if all.len() < MOST_SERIES || all.contains_key(&series) {
            series
        } else {
            series.capped()
        };
        let milliseconds = duration.as_secs_f64() * 1e3;
        let aggregate = all.entry(series).or_insert(Aggregate {
            sum: 0.0,
            count: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        });
        aggregate.sum += milliseconds * count;
        aggregate.count += count;
        aggregate.min = aggregate.min.min(milliseconds);
        aggregate.max = aggregate.max.max(milliseconds);
        envelope.data.properties_mut().push(COUNTED, extractor);
    }

    /// The metrics since the last call, each with the indices of its destinations.
    pub(super) fn take(&self, time: SystemTime) -> Vec<(Vec<usize>, Envelope<'static>)> {
        let all = std::mem::take(&mut *self.series.lock().unwrap_or_else(PoisonError::into_inner));
        all.into_iter()
            .map(|(mut series, aggregate)| {
                let to = std::mem::take(&mut series.to);
                (to, envelope(time, series, aggregate))
            })
            .collect()
    }
}

impl Series {
    fn capped(self) -> Self {
        let capped = || OVERFLOW.to_owned();
        Self {
            result_code: capped(),
            dependency: self.dependency.map(|_| (capped(), capped())),
            ..self
        }
    }
}

fn series(envelope: &Envelope<'_>, to: &[usize]) -> Series {
    let tag = |key| text::tag(envelope, key).unwrap_or_default().to_owned();
    Series {
        to: to.to_vec(),
        instrumentation_key: envelope.i_key.clone().into_owned(),
        role: tag(tags::CLOUD_ROLE),
        instance: tag(tags::CLOUD_ROLE_INSTANCE),
        sdk_version: tag(tags::INTERNAL_SDK_VERSION),
        result_code: text::result_code(&envelope.data)
            .unwrap_or_default()
            .to_owned(),
        success: text::success(&envelope.data).unwrap_or(true),
        synthetic: text::tag(envelope, tags::OPERATION_SYNTHETIC_SOURCE).is_some(),
        dependency: match &envelope.data {
            Data::RemoteDependency(data) => Some((
                data.dependency_type
                    .as_deref()
                    .unwrap_or_default()
                    .to_owned(),
                data.target.as_deref().unwrap_or_default().to_owned(),
            )),
            _ => None,
        },
    }
}

fn envelope(time: SystemTime, series: Series, aggregate: Aggregate) -> Envelope<'static> {
    let word = |yes: bool| Cow::Borrowed(if yes { "True" } else { "False" });
    let owned = |text: &String| Cow::Owned(text.clone());
    let (name, code_key, success_key) = match &series.dependency {
        None => ("requests/duration", "request/resultCode", "Request.Success"),
        Some(_) => (
            "dependencies/duration",
            "dependency/resultCode",
            "Dependency.Success",
        ),
    };
    let mut properties: Vec<(&str, Cow<'static, str>)> = vec![
        ("_MS.MetricId", Cow::Borrowed(name)),
        ("_MS.IsAutocollected", word(true)),
        ("operation/synthetic", word(series.synthetic)),
        ("cloud/roleName", owned(&series.role)),
        ("cloud/roleInstance", owned(&series.instance)),
        (code_key, owned(&series.result_code)),
        (success_key, word(series.success)),
    ];
    if let Some((kind, target)) = &series.dependency {
        properties.push(("Dependency.Type", owned(kind)));
        properties.push(("dependency/target", owned(target)));
    }
    let properties: Properties<'static> = properties
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| (Cow::Borrowed(key), value))
        .collect();
    let point = MetricPoint {
        namespace: None,
        name: Cow::Borrowed(name),
        kind: Some(MetricKind::Aggregation),
        value: aggregate.sum,
        count: Some(aggregate.count.round() as i64),
        min: Some(aggregate.min),
        max: Some(aggregate.max),
        std_dev: None,
    };
    let mut envelope = Envelope::new(
        time,
        Data::Metric(MetricData {
            ver: SCHEMA_VERSION,
            metrics: vec![point],
            properties,
        }),
    );
    envelope.i_key = Cow::Owned(series.instrumentation_key);
    for (key, value) in [
        (tags::CLOUD_ROLE, series.role),
        (tags::CLOUD_ROLE_INSTANCE, series.instance),
        (tags::INTERNAL_SDK_VERSION, series.sdk_version),
    ] {
        if !value.is_empty() {
            envelope.tags.push(key, value);
        }
    }
    envelope
}
