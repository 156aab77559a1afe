use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;

use crate::envelope::{
    Data, Envelope, Measurements, MetricData, Properties, RemoteDependencyData, RequestData,
    SCHEMA_VERSION, Tags, TimeSpan,
};
use crate::item::{LogData, SpanView, sample_rate};
use crate::mapping::attributes::Attributes;
use crate::mapping::dependency::Call;
use crate::mapping::keys::Key;
use crate::mapping::{
    Arena, MappingOptions, context, dependency, events, http, links, log, measurements, properties,
    request, resource, rpc, success,
};

/// Usual number of tags of an item beyond those of its resource; more cost another allocation.
const USUAL_TAGS: usize = 8;

/// The extractor's name and version, as the .NET and Node.js SDKs write them.
pub(super) const COUNTED_REQUEST: &str = "(Name:'Requests', Ver:'1.1')";
pub(super) const COUNTED_DEPENDENCY: &str = "(Name:'Dependencies', Ver:'1.1')";

/// The property by which Azure Monitor knows that a standard metric counts the item.
pub(super) const COUNTED: &str = "_MS.ProcessedByMetricExtractors";

/// Makes envelopes from OpenTelemetry data for one resource.
///
/// The [module](crate::mapping) documents the rules. A mapper is made once and has no mutable state; threads may share
/// it.
pub struct Mapper {
    instrumentation_key: String,
    options: MappingOptions,
    tags: Vec<(&'static str, String)>,
    /// The key and the tags in JSON, as every line has them.
    resource_json: String,
    counts_spans: bool,
}

impl Mapper {
    /// Makes a mapper. Its envelopes belong to `instrumentation_key` and carry the role of `resource`.
    #[must_use]
    pub fn new(instrumentation_key: &str, resource: &Resource, options: MappingOptions) -> Self {
        let tags = resource::tags(resource, &options);
        Self {
            resource_json: resource_json(instrumentation_key, &tags),
            instrumentation_key: instrumentation_key.to_owned(),
            tags,
            options,
            counts_spans: false,
        }
    }

    /// Sets whether items of spans are marked as counted by the standard metrics.
    #[must_use]
    pub(crate) fn with_standard_metrics(mut self, count: bool) -> Self {
        self.counts_spans = count;
        self
    }

    /// Makes the envelope of one log record: an exception, a custom event, an availability result, or else a message.
    ///
    /// `operation_name` and `sample_rate` belong to the request of the record. They apply if the record does not have
    /// its own; `None` if the caller does not know them. This method does not cut texts to the limits: see
    /// [`Envelope::apply_limits`].
    pub fn map_log<'a>(
        &'a self,
        log: &'a LogData,
        operation_name: Option<&'a str>,
        sample_rate: Option<f64>,
        arena: &'a Arena,
    ) -> Envelope<'a> {
        let attributes = Attributes::new(&log.attributes, arena);
        let own_rate = measurements::sample_rate(&attributes).or(log.sample_rate);
        let mut tags = self.resource_tags(arena);
        context::push(&mut tags, log.trace_id, false, &attributes, operation_name);
        context::push_parent(&mut tags, log.span_id, arena);
        let (time, data) = log::payload(log, &attributes, &self.options);
        Envelope {
            sample_rate: own_rate.or(sample_rate),
            i_key: Cow::Borrowed(self.instrumentation_key.as_str()),
            tags,
            ..Envelope::new(time, data)
        }
    }

    /// Makes the envelopes of one span: first the request or dependency, then one for each event.
    ///
    /// `operation_name` is the name of the span's request. It applies if the span does not have its own; `None` if the
    /// caller does not know it. This method does not cut texts to the limits: see [`Envelope::apply_limits`].
    pub fn map_span<'a>(
        &'a self,
        span: &'a SpanData,
        operation_name: Option<&'a str>,
        arena: &'a Arena,
        emit: impl FnMut(Envelope<'a>),
    ) {
        self.map(span.into(), operation_name, arena, emit);
    }

    /// Makes the envelopes of one span in any storage.
    pub(crate) fn map<'a>(
        &'a self,
        span: SpanView<'a>,
        operation_name: Option<&'a str>,
        arena: &'a Arena,
        mut emit: impl FnMut(Envelope<'a>),
    ) {
        let attributes = Attributes::new(span.attributes, arena);
        let told = measurements::sample_rate(&attributes);
        let sample_rate = sample_rate::percent(span.rate, told);
        let (mut data, operation_name) = match span.span_kind {
            SpanKind::Server | SpanKind::Consumer => {
                let name = request::name(&attributes, span.name, span.span_kind);
                (
                    Data::Request(self.request(span, &attributes, name)),
                    Some(name),
                )
            }
            SpanKind::Client | SpanKind::Producer | SpanKind::Internal => {
                let dependency = self.dependency(span, &attributes);
                (Data::RemoteDependency(dependency), operation_name)
            }
        };
        let is_request = matches!(data, Data::Request(_));
        let trace = span.span_context.trace_id();
        let tags = |parent| {
            let mut tags = self.resource_tags(arena);
            context::push(&mut tags, trace, is_request, &attributes, operation_name);
            context::push_parent(&mut tags, parent, arena);
            tags
        };
        let envelope = |time, tags, data| Envelope {
            sample_rate,
            i_key: Cow::Borrowed(self.instrumentation_key.as_str()),
            tags,
            ..Envelope::new(time, data)
        };
        let span_tags = tags(span.parent_span_id);
        // Last, after every rule has marked the attributes that it used.
        *data.properties_mut() = span_properties(span, &attributes);
        if self.counts_spans {
            let counted_by = counted_by(span.span_kind);
            data.properties_mut().insert(COUNTED, counted_by);
        }
        emit(envelope(span.start_time, span_tags, data));
        for event in span.events {
            let tags = tags(span.span_context.span_id());
            emit(envelope(event.timestamp, tags, events::data(event, arena)));
        }
    }

    fn resource_tags<'a>(&'a self, arena: &'a Arena) -> Tags<'a> {
        let mut tags = arena.pairs(self.tags.len() + USUAL_TAGS);
        for (tag, value) in &self.tags {
            tags.push(*tag, Cow::Borrowed(value.as_str()));
        }
        tags
    }

    fn request<'a>(
        &self,
        span: SpanView<'_>,
        attributes: &Attributes<'a>,
        name: &'a str,
    ) -> RequestData<'a> {
        RequestData {
            ver: SCHEMA_VERSION,
            id: span_id(span, attributes),
            name: Cow::Borrowed(name),
            duration: duration(span),
            success: self.is_success(span, attributes),
            response_code: result_code(attributes, Key::MicrosoftRequestResultCode),
            source: request::source(attributes).map(Cow::Borrowed),
            url: request::url(attributes).map(Cow::Borrowed),
            measurements: span_measurements(span, attributes),
            properties: Properties::new(),
        }
    }

    fn dependency<'a>(
        &self,
        span: SpanView<'a>,
        attributes: &Attributes<'a>,
    ) -> RemoteDependencyData<'a> {
        let kind = span.span_kind;
        let call = Call::of(attributes, kind);
        let code = result_code(attributes, Key::MicrosoftDependencyResultCode);
        RemoteDependencyData {
            ver: SCHEMA_VERSION,
            id: span_id(span, attributes),
            name: Cow::Borrowed(dependency::name(call, attributes, span.name)),
            result_code: Some(code),
            data: dependency::data(call, attributes).map(Cow::Borrowed),
            dependency_type: dependency::dependency_type(call, attributes, kind).map(Cow::Borrowed),
            target: dependency::target(call, attributes, kind).map(Cow::Borrowed),
            duration: duration(span),
            success: self.is_success(span, attributes),
            measurements: span_measurements(span, attributes),
            properties: Properties::new(),
        }
    }

    pub(super) fn is_success(&self, span: SpanView<'_>, attributes: &Attributes<'_>) -> bool {
        let http_status = attributes.peek_first(&http::STATUS);
        success::is_success(
            span.status,
            http_status.map(|(_, code)| code),
            span.span_kind,
            || attributes.peek(Key::ErrorType).is_some(),
            &self.options,
        )
    }

    /// The mapper's own tags, for an item that does not come from a span.
    pub(super) fn own_tags(&self) -> Tags<'static> {
        own_tags(&self.tags)
    }

    /// The fields of a line that are the resource's: `"iKey":"…","tags":{…`. Other tags follow.
    pub(super) fn resource_json(&self) -> &str {
        &self.resource_json
    }

    /// Whether items of spans are marked as counted.
    pub(super) fn counts_spans(&self) -> bool {
        self.counts_spans
    }

    /// The value of a tag that every item has.
    pub(crate) fn tag(&self, tag: &str) -> Option<&str> {
        let found = self.tags.iter().find(|(known, _)| *known == tag);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn instrumentation_key(&self) -> &str {
        &self.instrumentation_key
    }

    pub(crate) fn options(&self) -> &MappingOptions {
        &self.options
    }
}

fn own_tags(tags: &[(&'static str, String)]) -> Tags<'static> {
    let pairs = tags.iter();
    pairs
        .map(|(tag, value)| (Cow::Borrowed(*tag), Cow::Owned(value.clone())))
        .collect()
}

/// There is always a tag: that of the SDK's version.
fn resource_json(instrumentation_key: &str, tags: &[(&'static str, String)]) -> String {
    let data = Data::Metric(MetricData {
        ver: SCHEMA_VERSION,
        metrics: Vec::new(),
        properties: Properties::new(),
    });
    let mut envelope = Envelope {
        i_key: Cow::Borrowed(instrumentation_key),
        tags: own_tags(tags),
        ..Envelope::new(SystemTime::UNIX_EPOCH, data)
    };
    envelope.apply_limits();
    // Texts can be written.
    let key = serde_json::to_string(&envelope.i_key).unwrap_or_default();
    let tags = serde_json::to_string(&envelope.tags).unwrap_or_default();
    format!(r#""iKey":{key},"tags":{}"#, tags.trim_end_matches('}'))
}

/// It hides the key.
impl fmt::Debug for Mapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapper")
            .field("options", &self.options)
            .field("tags", &self.tags)
            .finish_non_exhaustive()
    }
}

/// The result code of the response; `0` if it has none.
pub(super) fn result_code<'a>(attributes: &Attributes<'a>, overridden: Key) -> Cow<'a, str> {
    let code = attributes
        .take(overridden)
        .or_else(|| attributes.take_first(&http::STATUS))
        .or_else(|| attributes.take_first(&rpc::STATUS));
    Cow::Borrowed(code.unwrap_or("0"))
}

fn span_id<'a>(span: SpanView<'_>, attributes: &Attributes<'a>) -> Cow<'a, str> {
    let id = span.span_context.span_id();
    Cow::Borrowed(attributes.arena().hex(id.to_bytes()))
}

fn counted_by(kind: &SpanKind) -> Cow<'static, str> {
    Cow::Borrowed(match kind {
        SpanKind::Server | SpanKind::Consumer => COUNTED_REQUEST,
        SpanKind::Client | SpanKind::Producer | SpanKind::Internal => COUNTED_DEPENDENCY,
    })
}

/// A clock that went backwards yields zero.
fn duration(span: SpanView<'_>) -> TimeSpan {
    let duration = span.end_time.duration_since(span.start_time);
    TimeSpan(duration.unwrap_or_default())
}

fn span_measurements<'a>(span: SpanView<'_>, attributes: &Attributes<'a>) -> Measurements<'a> {
    let mut measurements = measurements::custom(attributes);
    if *span.span_kind == SpanKind::Consumer
        && let Some(waited) = links::time_since_enqueued(span.links, span.start_time)
    {
        measurements.insert(links::TIME_SINCE_ENQUEUED, waited);
    }
    measurements
}

/// The unused attributes, the links, and the description of the span's error, under OpenTelemetry's name for formats
/// without a field for it.
fn span_properties<'a>(span: SpanView<'a>, attributes: &Attributes<'a>) -> Properties<'a> {
    let links = links::json(span.links, attributes.arena());
    let description = match span.status {
        Status::Error { description } => Some(description.as_ref()).filter(|text| !text.is_empty()),
        Status::Ok | Status::Unset => None,
    };
    let own = [(Key::MsLinks, links), (Key::StatusDescription, description)];
    let own = own.into_iter().filter_map(|(key, text)| Some((key, text?)));
    // The properties replace attributes of the same name.
    own.clone().for_each(|(key, _)| attributes.mark_used(key));
    let mut properties = properties::unused(attributes, own.clone().count());
    properties.extend(own.map(|(key, text)| (Cow::Borrowed(key.name()), Cow::Borrowed(text))));
    properties
}
