//! The JSON of the protocol, in both directions.

use serde::{Deserialize, Deserializer, Serialize};

/// The identity of a client and the data of one interval: `MonitoringDataPoint`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DataPoint {
    /// Name and version of the SDK.
    pub version: String,
    /// Which parts of the protocol the client knows: [`INVARIANT_VERSION`].
    pub invariant_version: u32,
    /// The role instance.
    pub instance: String,
    /// The role.
    pub role_name: String,
    /// The host.
    pub machine_name: String,
    /// 32 hexadecimal digits, new for each process.
    pub stream_id: String,
    /// Whether the process runs in App Service or Functions.
    pub is_web_app: bool,
    /// Whether the client measures processor and memory.
    pub performance_collection_supported: bool,
    /// When the interval ended: RFC 3339, UTC.
    pub timestamp: String,
    /// When the point was sent: RFC 3339, UTC.
    pub transmission_time: String,
    /// The metrics of the interval.
    pub metrics: Vec<MetricValue>,
    /// Samples of the interval, oldest first.
    pub documents: Vec<Document>,
    /// Always empty: only the classic .NET SDK reads the processes of the machine.
    pub top_cpu_processes: Vec<serde_json::Value>,
    /// The parts of the configuration that could not be understood.
    pub collection_configuration_errors: Vec<ConfigurationError>,
    /// Whether samples were left out since too many matched.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub global_document_quota_reached: bool,
}

/// The version of the protocol that this module speaks: filters, errors, hints and redirects.
pub const INVARIANT_VERSION: u32 = 5;

/// One metric of an interval.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricValue {
    /// The metric's name, or the id of a derived metric.
    pub name: String,
    /// The value, rounded to four decimals; 0 for a number that JSON cannot express.
    pub value: f64,
    /// How many items the value stands for.
    pub weight: u64,
}

impl MetricValue {
    /// Makes a value as it may be sent.
    #[must_use]
    pub fn new(name: impl Into<String>, value: f64, weight: u64) -> Self {
        let rounded = (value * 10_000.0).round() / 10_000.0;
        Self {
            name: name.into(),
            value: if rounded.is_finite() { rounded } else { 0.0 },
            weight,
        }
    }
}

/// A sample: one item that matched the filters of at least one document stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Document {
    /// `Request`, `RemoteDependency`, `Exception`, `Trace` or `Event`.
    pub document_type: String,
    /// The streams whose filters it matched.
    pub document_stream_ids: Vec<String>,
    /// When the item happened: RFC 3339, UTC.
    pub timestamp: String,
    /// Name of a request, dependency or event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Address of a request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Code that a request was answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_code: Option<String>,
    /// Command of a dependency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_name: Option<String>,
    /// Code that a dependency answered with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_code: Option<String>,
    /// ISO 8601: `PT0.1234567S`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<String>,
    /// Whether a request or dependency succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success: Option<bool>,
    /// Target of a dependency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Type of a dependency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dependency_type_name: Option<String>,
    /// Type of an exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_type: Option<String>,
    /// Messages of an exception and its causes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception_message: Option<String>,
    /// Stack of an exception.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exception: Option<String>,
    /// Text of a trace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Severity of a trace or exception, as a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity_level: Option<String>,
    /// Operation that the item belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Name of that operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation_name: Option<String>,
    /// Custom dimensions, at most ten.
    pub properties: Vec<Pair>,
}

/// A key and a text, in lower case as the published interface has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The key.
    pub key: String,
    /// The text.
    pub value: String,
}

impl Pair {
    /// Makes a pair.
    #[must_use]
    pub fn new(key: &str, value: &str) -> Self {
        Self {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// A part of the configuration that could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConfigurationError {
    /// One of the published names, such as `MetricFailureToCreate`.
    pub collection_configuration_error_type: &'static str,
    /// The reason, for people.
    pub message: String,
    /// Always empty.
    pub full_exception: &'static str,
    /// Which part it is.
    pub data: Vec<Pair>,
}

/// The data that a server asks for: `CollectionConfigurationInfo`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ConfigurationInfo {
    /// Names this configuration.
    #[serde(rename = "ETag", deserialize_with = "or_default")]
    pub etag: String,
    /// The derived metrics.
    #[serde(deserialize_with = "or_default")]
    pub metrics: Vec<MetricInfo>,
    /// The document streams.
    #[serde(deserialize_with = "or_default")]
    pub document_streams: Vec<StreamInfo>,
    /// Limits of samples, if they are other than the usual ones.
    pub quota_info: Option<QuotaInfo>,
}

/// A derived metric: `DerivedMetricInfo`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct MetricInfo {
    /// The name under which its values are sent.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// The type of telemetry that it counts.
    #[serde(deserialize_with = "or_default")]
    pub telemetry_type: String,
    /// An item counts if one of the groups matches, or if there is none.
    #[serde(deserialize_with = "or_default")]
    pub filter_groups: Vec<FilterGroupInfo>,
    /// `Count()`, `Duration`, `CustomDimensions.…` or `CustomMetrics.…`.
    #[serde(deserialize_with = "or_default")]
    pub projection: String,
    /// `Sum`, `Avg`, `Min` or `Max` over the items of an interval.
    #[serde(deserialize_with = "or_default")]
    pub aggregation: String,
    /// The same over the values of several servers.
    #[serde(deserialize_with = "or_default")]
    pub back_end_aggregation: String,
}

/// Filters all of which must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FilterGroupInfo {
    /// None matches everything.
    #[serde(deserialize_with = "or_default")]
    pub filters: Vec<FilterInfo>,
}

/// One condition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct FilterInfo {
    /// The field that is looked at.
    #[serde(deserialize_with = "or_default")]
    pub field_name: String,
    /// How it is compared.
    #[serde(deserialize_with = "or_default")]
    pub predicate: String,
    /// The value to compare with; `None` is refused.
    pub comparand: Option<String>,
}

/// A document stream: `DocumentStreamInfo`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct StreamInfo {
    /// Its name.
    #[serde(deserialize_with = "or_default")]
    pub id: String,
    /// An item is a sample if one of the groups of its type matches.
    #[serde(deserialize_with = "or_default")]
    pub document_filter_groups: Vec<DocumentGroupInfo>,
}

/// Filters of one type of telemetry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct DocumentGroupInfo {
    /// The type.
    #[serde(deserialize_with = "or_default")]
    pub telemetry_type: String,
    /// The filters.
    #[serde(deserialize_with = "or_default")]
    pub filters: FilterGroupInfo,
}

/// How many samples may be sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct QuotaInfo {
    /// How many at once at the beginning; `None` leaves a stream what it has.
    pub initial_quota: Option<f64>,
    /// How many may be saved up.
    #[serde(deserialize_with = "or_default")]
    pub max_quota: f64,
    /// How many become possible each second.
    #[serde(deserialize_with = "or_default")]
    pub quota_accrual_rate_per_sec: f64,
}

/// `null` is as good as nothing.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}
