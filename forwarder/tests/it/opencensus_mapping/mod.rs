//! The items that OpenCensus spans become. The table lists the tests of LocalForwarder's converter, and their
//! counterparts here:
//!
//! | LocalForwarder | Here |
//! |---|---|
//! | TracksRequest, …WithParent, …WithInvalidParent, …WithTracestate, …WithoutName, …WithoutStartAndEndTime | `a_request_has_its_ids_its_times_and_its_tracestate` |
//! | TracksRequestWithStatus, …WithStatusAndDescription, …WithNonSuccessStatusAndDescription, …ErrorAttribute | `success_follows_from_the_status_or_the_attribute_error` |
//! | TracksDependency, …WithParent, …WithTracestate, …WithoutKind | `a_request_has_its_ids_its_times_and_its_tracestate`, for both kinds |
//! | TracksDependencyWithStatus, …WithStatusAndDescription, …WithNonSuccessStatusAndDescription, …ErrorAttribute | `success_follows_from_the_status_or_the_attribute_error` |
//! | TracksRequestBasedOnSpanKindAttribute, …SpanKindProperty, …SameProcessAsParentFlag; TracksDependency… the same, …FlagNotSet | `the_kind_is_that_of_the_attribute_the_span_or_the_process` |
//! | TracksHttpRequestWithUrl, …RelativeUrl, …UrlAndRoute, …UrlAndNoMethod, …UrlOtherAttributesAreIgnored, …HostPortPathAttributes, …PortPathAndEmptyHostAttributes, …HostPathAttributes, …HostAttributes, …OnlyMethodAttributes | `requests_are_named_and_have_a_url` |
//! | TracksRequestWithStringStatusCode, TracksDependencyWithStringStatusCode, TracksHttpDependencyWithStatusCodeOnly | `status_codes_may_be_numbers_or_texts` |
//! | TracksHttpRequestUserAgent | `the_user_agent_is_the_users` |
//! | TracksHttpDependencyWithUrl, …RelativeUrl, …UrlIgnoresHostPortPath, …HostPortPath, …HostPort, …PathAndEmptyHost, …Host, …Method | `dependencies_are_named_and_have_a_target` |
//! | TracksDependencyWithCustomAttributes, TracksRequestsWithCustomAttributes | `attributes_are_properties_and_doubles_are_kept` |
//! | TracksDependencyWithLinks, …LinksAndAttributes, TracksRequestWithLinks, …LinksAndAttributes | `links_are_those_that_the_portal_follows` |
//! | TracksRequestWithAnnotations, …AnnotationsAndNode, TracksDependenciesWithAnnotations, …WithAnnotationsAndNode, TracksRequestWithMessage | `annotations_and_message_events_are_messages_of_the_span` |
//! | TracksRequestWithCorrectIkey, TracksDependencyWithCorrectIkey, TracksTraceWithCorrectIkey | `every_item_has_the_key` |
//! | TracksNodeInfo, TracksEmptyNodeInfo, TracksHalfEmptyNodeInfo | `opencensus::nodes_make_events_only_if_asked_for`, `a_node_that_says_nothing_is_unknown` |

mod content;
mod fields;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::envelope::Envelope;
use azmon_forwarder::inputs::OpenCensusOptions;
use azmon_forwarder::proto::opencensus::proto::agent::common::v1::Node;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::ExportTraceServiceRequest;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::trace_service_client::TraceServiceClient;
use azmon_forwarder::proto::opencensus::proto::trace::v1 as oc;
use azmon_forwarder::proto::opencensus::proto::trace::v1::attribute_value::Value;
use azmon_forwarder::proto::opencensus::proto::trace::v1::span::{Attributes, SpanKind};

use crate::opencensus::{node, serve};
use crate::support::Kept;

/// The items of a span.
async fn mapped(span: oc::Span) -> Vec<Envelope<'static>> {
    mapped_of(Some(node("shop")), span).await
}

async fn mapped_of(node: Option<Node>, span: oc::Span) -> Vec<Envelope<'static>> {
    let sink = Arc::new(Kept::default());
    let options = OpenCensusOptions::default().instrumentation_key("key");
    let (channel, _) = serve(&sink, options).await;
    let message = ExportTraceServiceRequest {
        node,
        spans: vec![span],
        resource: None,
    };
    let mut client = TraceServiceClient::new(channel);
    let answers = client.export(tokio_stream::iter([message])).await.unwrap();
    assert!(answers.into_inner().message().await.unwrap().is_none());
    sink.envelopes()
}

/// The first item of a span.
async fn one(span: oc::Span) -> Envelope<'static> {
    mapped(span).await.remove(0)
}

fn text(value: &str) -> oc::TruncatableString {
    oc::TruncatableString {
        value: value.to_owned(),
        truncated_byte_count: 0,
    }
}

fn string(value: &str) -> Value {
    Value::StringValue(text(value))
}

fn attributes<const N: usize>(pairs: [(&str, Value); N]) -> Attributes {
    let pairs = pairs.into_iter().map(|(key, value)| {
        let value = oc::AttributeValue { value: Some(value) };
        (key.to_owned(), value)
    });
    Attributes {
        attribute_map: pairs.collect(),
        dropped_attributes_count: 0,
    }
}

fn texts<const N: usize>(pairs: [(&str, &str); N]) -> Attributes {
    attributes(pairs.map(|(key, value)| (key, string(value))))
}

fn at(seconds: u64, nanoseconds: u32) -> prost_types::Timestamp {
    (SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds)).into()
}

fn span(kind: SpanKind) -> oc::Span {
    oc::Span {
        trace_id: vec![0xab; 16],
        span_id: vec![0xcd; 8],
        name: Some(text("spanName")),
        kind: kind as i32,
        start_time: Some(at(1_700_000_000, 0)),
        end_time: Some(at(1_700_000_001, 500_000_000)),
        ..oc::Span::default()
    }
}

fn with(kind: SpanKind, attributes: Attributes) -> oc::Span {
    oc::Span {
        attributes: Some(attributes),
        ..span(kind)
    }
}
