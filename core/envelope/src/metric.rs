use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::limits::{truncate_option, truncate_required};
use crate::{Properties, lenient, limits};

/// A measured value, or an aggregation of many.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricData<'a> {
    /// Version of the schema: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    #[serde(default = "lenient::schema_version")]
    pub ver: u8,
    /// The value. The service reads only the first entry of the list.
    pub metrics: Vec<MetricPoint<'a>>,
    /// Custom dimensions.
    #[serde(
        default,
        skip_serializing_if = "Properties::is_empty",
        deserialize_with = "lenient::map"
    )]
    pub properties: Properties<'a>,
}

/// One value of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MetricPoint<'a> {
    /// Namespace of the metric.
    #[serde(
        rename = "ns",
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub namespace: Option<Cow<'a, str>>,
    /// Name of the metric.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Cow<'a, str>,
    /// Whether the value is one measurement or many.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient_kind"
    )]
    pub kind: Option<MetricKind>,
    /// The measured value, or the sum of many.
    pub value: f64,
    /// Number of aggregated values.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::integer"
    )]
    pub count: Option<i64>,
    /// Minimum of the aggregated values.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub min: Option<f64>,
    /// Maximum of the aggregated values.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub max: Option<f64>,
    /// Standard deviation of the aggregated values.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::number"
    )]
    pub std_dev: Option<f64>,
}

/// Whether a value is one measurement or an aggregation of many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// One measurement.
    Measurement = 0,
    /// An aggregation.
    Aggregation = 1,
}

impl MetricData<'_> {
    pub(super) fn apply_limits(&mut self) {
        self.metrics.retain(|point| point.value.is_finite());
        for point in &mut self.metrics {
            truncate_option(&mut point.namespace, limits::METRIC_NAMESPACE);
            truncate_required(&mut point.name, limits::METRIC_NAME);
            for number in [&mut point.min, &mut point.max, &mut point.std_dev] {
                *number = number.filter(|number| number.is_finite());
            }
        }
    }
}

impl Serialize for MetricKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Measurement => "Measurement",
            Self::Aggregation => "Aggregation",
        })
    }
}

fn lenient_kind<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<MetricKind>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(word) if word.eq_ignore_ascii_case("measurement") => {
            Some(MetricKind::Measurement)
        }
        Value::String(word) if word.eq_ignore_ascii_case("aggregation") => {
            Some(MetricKind::Aggregation)
        }
        Value::Number(number) if number.as_i64() == Some(0) => Some(MetricKind::Measurement),
        Value::Number(number) if number.as_i64() == Some(1) => Some(MetricKind::Aggregation),
        _ => None,
    })
}
