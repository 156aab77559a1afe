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

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, Envelope, tags};
use azmon_forwarder::inputs::OpenCensusOptions;
use azmon_forwarder::proto::opencensus::proto::agent::common::v1::Node;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::ExportTraceServiceRequest;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::trace_service_client::TraceServiceClient;
use azmon_forwarder::proto::opencensus::proto::trace::v1 as oc;
use azmon_forwarder::proto::opencensus::proto::trace::v1::attribute_value::Value;
use azmon_forwarder::proto::opencensus::proto::trace::v1::span::{
    Attributes, Link, Links, SpanKind, TimeEvent, TimeEvents, Tracestate, link, time_event,
    tracestate,
};

use crate::opencensus::{node, serve};
use crate::support::{Kept, name, property, tag};

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

#[tokio::test]
async fn a_request_has_its_ids_its_times_and_its_tracestate() {
    for kind in [SpanKind::Server, SpanKind::Client, SpanKind::Unspecified] {
        let entry = tracestate::Entry {
            key: "vendor".to_owned(),
            value: "1".to_owned(),
        };
        let whole = oc::Span {
            parent_span_id: vec![0xef; 8],
            tracestate: Some(Tracestate {
                entries: vec![entry],
            }),
            ..span(kind)
        };
        let item = one(whole.clone()).await;
        let (id, duration) = match &item.data {
            Data::Request(data) => (&data.id, data.duration),
            Data::RemoteDependency(data) => (&data.id, data.duration),
            other => panic!("{other:?}"),
        };
        assert_eq!(id, "cdcdcdcdcdcdcdcd");
        assert_eq!(duration.0, Duration::from_millis(1_500));
        assert_eq!(
            item.time,
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
        );
        assert_eq!(
            tag(&item, tags::OPERATION_ID),
            Some("ab".repeat(16).as_str())
        );
        assert_eq!(
            tag(&item, tags::OPERATION_PARENT_ID),
            Some("efefefefefefefef")
        );
        assert_eq!(property(&item, "vendor"), Some("1"));
        assert_eq!(name(&item), "spanName");

        for parent in [Vec::new(), vec![0; 8], vec![1; 3]] {
            let root = oc::Span {
                parent_span_id: parent,
                ..whole.clone()
            };
            assert_eq!(tag(&one(root).await, tags::OPERATION_PARENT_ID), None);
        }
        let bare = oc::Span {
            name: None,
            start_time: None,
            end_time: None,
            ..whole
        };
        let item = one(bare).await;
        let age = SystemTime::now().duration_since(item.time).unwrap();
        assert!(age < Duration::from_secs(60), "{age:?}");
    }
}

#[tokio::test]
async fn success_follows_from_the_status_or_the_attribute_error() {
    let status = |code, message: &str| {
        Some(oc::Status {
            code,
            message: message.to_owned(),
        })
    };
    for kind in [SpanKind::Server, SpanKind::Client] {
        for (status, error, http, success, code) in [
            (None, None, None, true, "0"),
            (None, None, Some(503), false, "503"),
            (status(0, ""), None, None, true, "0"),
            (status(0, "all fine"), None, None, true, "0"),
            (status(0, ""), None, Some(503), false, "503"),
            (status(1, "all bad"), None, None, false, "1"),
            (status(0, ""), Some(true), None, false, "0"),
            (status(0, ""), Some(false), None, true, "0"),
        ] {
            let mut pairs = attributes([]);
            let mut add = |key: &str, value| {
                let value = oc::AttributeValue { value: Some(value) };
                pairs.attribute_map.insert(key.to_owned(), value);
            };
            if let Some(error) = error {
                add("error", Value::BoolValue(error));
            }
            if let Some(http) = http {
                add("http.status_code", Value::IntValue(http));
            }
            let item = one(oc::Span {
                status: status.clone(),
                ..with(kind, pairs)
            })
            .await;
            let (found, found_code) = match &item.data {
                Data::Request(data) => (data.success, Some(data.response_code.as_ref())),
                Data::RemoteDependency(data) => (data.success, data.result_code.as_deref()),
                other => panic!("{other:?}"),
            };
            assert_eq!(
                (found, found_code),
                (success, Some(code)),
                "{status:?} {error:?}"
            );
            let message = status.as_ref().map(|status| status.message.as_str());
            let message = message.filter(|message| !message.is_empty());
            assert_eq!(property(&item, "statusDescription"), message);
            assert_eq!(property(&item, "error"), None);
        }
    }
}

#[tokio::test]
async fn the_kind_is_that_of_the_attribute_the_span_or_the_process() {
    for (attribute, kind, same_process, is_request) in [
        (Some("client"), SpanKind::Server, None, false),
        (Some("server"), SpanKind::Client, None, true),
        (Some("other"), SpanKind::Client, None, true),
        (None, SpanKind::Server, None, true),
        (None, SpanKind::Client, Some(false), false),
        (None, SpanKind::Unspecified, Some(false), true),
        (None, SpanKind::Unspecified, Some(true), false),
        (None, SpanKind::Unspecified, None, false),
    ] {
        let attributes = attribute.map(|kind| texts([("span.kind", kind)]));
        let item = one(oc::Span {
            attributes,
            same_process_as_parent_span: same_process,
            ..span(kind)
        })
        .await;
        assert_eq!(matches!(item.data, Data::Request(_)), is_request);
        assert_eq!(property(&item, "span.kind"), None);
    }
}

#[tokio::test]
async fn requests_are_named_and_have_a_url() {
    let url = ("http.url", "https://host:123/path?query=1");
    let method = ("http.method", "POST");
    let path = ("http.path", "path");
    let host = ("http.host", "host");
    for (attributes, expected, url) in [
        (texts([url, method]), "POST /path", Some(url.1)),
        (texts([url]), "/path", Some(url.1)),
        (texts([("http.url", "/path?a"), method]), "POST /path", None),
        (
            texts([url, method, ("http.route", "/{p}")]),
            "POST /{p}",
            Some(url.1),
        ),
        (
            texts([url, method, path, ("http.host", "other")]),
            "POST /path",
            Some(url.1),
        ),
        (
            texts([method, host, ("http.port", "8080"), path]),
            "POST path",
            Some("https://host:8080/path"),
        ),
        (
            texts([method, host, ("http.port", "80"), path]),
            "POST path",
            Some("http://host/path"),
        ),
        (
            texts([method, ("http.port", "80"), path]),
            "POST path",
            None,
        ),
        (texts([method, ("http.host", ""), path]), "POST path", None),
        (
            texts([method, host, path]),
            "POST path",
            Some("https://host/path"),
        ),
        (texts([method, host]), "POST", Some("https://host/")),
        (texts([method]), "POST", None),
    ] {
        let item = one(with(SpanKind::Server, attributes.clone())).await;
        let Data::Request(data) = &item.data else {
            panic!("{item:?}")
        };
        assert_eq!(
            (data.name.as_ref(), data.url.as_deref()),
            (expected, url),
            "{attributes:?}"
        );
        assert_eq!(tag(&item, tags::OPERATION_NAME), Some(expected));
        assert!(data.properties.is_empty(), "{:?}", data.properties);
    }
}

#[tokio::test]
async fn status_codes_may_be_numbers_or_texts() {
    for code in [string("201"), Value::IntValue(201)] {
        for kind in [SpanKind::Server, SpanKind::Client] {
            let item = one(with(kind, attributes([("http.status_code", code.clone())]))).await;
            let found = match &item.data {
                Data::Request(data) => Some(data.response_code.as_ref()),
                Data::RemoteDependency(data) => {
                    assert_eq!(data.dependency_type.as_deref(), Some("Http"));
                    data.result_code.as_deref()
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(found, Some("201"));
            assert_eq!(name(&item), "spanName");
        }
    }
}

#[tokio::test]
async fn the_user_agent_is_the_users() {
    let item = one(with(
        SpanKind::Server,
        texts([("http.user_agent", "curl/8")]),
    ))
    .await;
    assert_eq!(tag(&item, tags::USER_AGENT), Some("curl/8"));
}

#[tokio::test]
async fn dependencies_are_named_and_have_a_target() {
    let url = ("http.url", "https://host:123/path?query=1");
    let method = ("http.method", "POST");
    let path = ("http.path", "/path");
    let host = ("http.host", "host");
    for (attributes, expected, target, data, kind) in [
        (
            texts([url, method]),
            "POST /path",
            Some("host:123"),
            Some(url.1),
            "Http",
        ),
        (
            texts([("http.url", "/path"), method]),
            "POST /path",
            None,
            Some("/path"),
            "Http",
        ),
        (
            texts([
                url,
                method,
                ("http.host", "other"),
                ("http.port", "7"),
                ("http.path", "/x"),
            ]),
            "POST /path",
            Some("host:123"),
            Some(url.1),
            "Http",
        ),
        (
            texts([method, host, ("http.port", "8080"), path]),
            "POST /path",
            Some("host:8080"),
            Some("https://host:8080/path"),
            "Http",
        ),
        (
            texts([("http.host", "host:9000"), path]),
            "/path",
            Some("host:9000"),
            Some("https://host:9000/path"),
            "Http",
        ),
        (
            texts([("http.host", ""), path, method]),
            "POST /path",
            None,
            None,
            "Http",
        ),
        (texts([host]), "spanName", Some("host"), None, "Dependency"),
        (texts([method]), "POST", None, None, "Http"),
    ] {
        let item = one(with(SpanKind::Client, attributes.clone())).await;
        let Data::RemoteDependency(found) = &item.data else {
            panic!("{item:?}")
        };
        assert_eq!(found.name, expected, "{attributes:?}");
        assert_eq!(found.target.as_deref(), target, "{attributes:?}");
        assert_eq!(found.data.as_deref(), data, "{attributes:?}");
        assert_eq!(
            found.dependency_type.as_deref(),
            Some(kind),
            "{attributes:?}"
        );
        assert!(found.properties.is_empty(), "{:?}", found.properties);
    }
}

#[tokio::test]
async fn calls_of_application_insights_itself_are_left_out() {
    for host in [
        "https://dc.services.visualstudio.com/v2/track",
        "https://westeurope-5.in.applicationinsights.azure.com/v2.1/track",
    ] {
        let own = with(SpanKind::Client, texts([("http.url", host)]));
        assert!(mapped(own).await.is_empty());
    }
    let other = with(
        SpanKind::Client,
        texts([("http.url", "https://dc.example.com/")]),
    );
    assert_eq!(mapped(other).await.len(), 1);
}

#[tokio::test]
async fn attributes_are_properties_and_doubles_are_kept() {
    for kind in [SpanKind::Server, SpanKind::Client] {
        let item = one(with(
            kind,
            attributes([
                ("string", string("value")),
                ("long", Value::IntValue(i64::MAX)),
                ("bool", Value::BoolValue(true)),
                ("double", Value::DoubleValue(0.5)),
            ]),
        ))
        .await;
        for (key, value) in [
            ("string", "value"),
            ("long", "9223372036854775807"),
            ("bool", "true"),
            ("double", "0.5"),
        ] {
            assert_eq!(property(&item, key), Some(value));
        }
    }
}

#[tokio::test]
async fn links_are_those_that_the_portal_follows() {
    let of = |kind: link::Type, attributes| Link {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        r#type: kind as i32,
        attributes,
        tracestate: None,
    };
    let broken = Link {
        span_id: vec![2; 3],
        ..of(link::Type::Unspecified, None)
    };
    let linked = |kind| oc::Span {
        links: Some(Links {
            link: vec![
                of(link::Type::ChildLinkedSpan, Some(texts([("k", "v")]))),
                of(link::Type::Unspecified, None),
                broken.clone(),
            ],
            dropped_links_count: 0,
        }),
        ..span(kind)
    };
    for kind in [SpanKind::Server, SpanKind::Client] {
        let item = one(linked(kind)).await;
        let one_link = format!(
            r#"{{"operation_Id":"{}","id":"{}"}}"#,
            "01".repeat(16),
            "02".repeat(8)
        );
        let links = format!("[{one_link},{one_link}]");
        assert_eq!(property(&item, "_MS.links"), Some(links.as_str()));
        assert_eq!(property(&item, "link0_type"), Some("ChildLinkedSpan"));
        assert_eq!(property(&item, "link0_k"), Some("v"));
        assert_eq!(property(&item, "link1_type"), None);
    }
}

#[tokio::test]
async fn annotations_and_message_events_are_messages_of_the_span() {
    let annotation = |description| {
        time_event::Value::Annotation(time_event::Annotation {
            description,
            attributes: Some(texts([("k", "v")])),
        })
    };
    let sent = time_event::Value::MessageEvent(time_event::MessageEvent {
        r#type: time_event::message_event::Type::Received as i32,
        id: 5,
        uncompressed_size: 100,
        compressed_size: 40,
    });
    let event = |value| TimeEvent {
        time: Some(at(1_700_000_000, 7_000_000)),
        value: Some(value),
    };
    let time_event = vec![
        event(annotation(Some(text("looked up")))),
        // An annotation without a text once broke the rest of the message.
        event(annotation(None)),
        TimeEvent::default(),
        event(sent),
    ];
    let items = mapped(oc::Span {
        time_events: Some(TimeEvents {
            time_event,
            ..TimeEvents::default()
        }),
        ..span(SpanKind::Server)
    })
    .await;
    let messages: Vec<_> = items.iter().skip(1).collect();
    let names: Vec<_> = messages.iter().map(|item| name(item)).collect();
    let received = "MessageEvent. messageId: '5', type: 'Received', compressed size: '40', \
                    uncompressed size: '100'";
    assert_eq!(names, ["looked up", "", received]);
    assert_eq!(property(messages[0], "k"), Some("v"));
    for message in messages {
        assert!(matches!(message.data, Data::Message(_)));
        assert_eq!(
            tag(message, tags::OPERATION_PARENT_ID),
            Some("cdcdcdcdcdcdcdcd")
        );
        assert_eq!(tag(message, tags::CLOUD_ROLE), Some("shop"));
        let since = message.time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(since, Duration::new(1_700_000_000, 7_000_000));
    }
}

#[tokio::test]
async fn the_error_of_an_integration_is_an_exception() {
    let items = mapped(with(
        SpanKind::Server,
        texts([
            ("error.message", "no such order"),
            ("error.name", "KeyError"),
            ("stacktrace", "Traceback …"),
        ]),
    ))
    .await;
    let [request, exception] = items.as_slice() else {
        panic!("{items:?}")
    };
    assert!(request.data.properties().is_empty());
    let Data::Exception(data) = &exception.data else {
        panic!("{exception:?}")
    };
    let details = &data.exceptions[0];
    assert_eq!(details.type_name.as_deref(), Some("KeyError"));
    assert_eq!(details.message, "no such order");
    assert_eq!(details.stack.as_deref(), Some("Traceback …"));
}

#[tokio::test]
async fn a_call_stack_is_kept() {
    let frame = oc::stack_trace::StackFrame {
        function_name: Some(text("order")),
        file_name: Some(text("shop.py")),
        line_number: 7,
        ..Default::default()
    };
    let item = one(oc::Span {
        stack_trace: Some(oc::StackTrace {
            stack_frames: Some(oc::stack_trace::StackFrames {
                frame: vec![frame],
                dropped_frames_count: 0,
            }),
            stack_trace_hash_id: 1,
        }),
        ..span(SpanKind::Server)
    })
    .await;
    let stack = "   at order in shop.py:line 7\n";
    assert_eq!(property(&item, "stackTrace"), Some(stack));
}

#[tokio::test]
async fn every_item_has_the_key() {
    let description = Some(text("x"));
    let value = Some(time_event::Value::Annotation(time_event::Annotation {
        description,
        attributes: None,
    }));
    let items = mapped(oc::Span {
        time_events: Some(TimeEvents {
            time_event: vec![TimeEvent { time: None, value }],
            ..TimeEvents::default()
        }),
        ..span(SpanKind::Server)
    })
    .await;
    assert_eq!(items.len(), 2);
    assert!(items.iter().all(|item| item.i_key == "key"));
}

#[tokio::test]
async fn a_node_that_says_nothing_is_unknown() {
    for node in [None, Some(Node::default())] {
        let items = mapped_of(node, span(SpanKind::Server)).await;
        assert_eq!(tag(&items[0], tags::CLOUD_ROLE), Some("unknown_service"));
        let sdk = tag(&items[0], tags::INTERNAL_SDK_VERSION);
        assert_eq!(sdk, Some("lf_unspecified-oc:0.0.0"));
    }
}

#[tokio::test]
async fn spans_without_ids_are_left_out_and_counted() {
    let sink = Arc::new(Kept::default());
    let (channel, input) = serve(&sink, OpenCensusOptions::default()).await;
    let without = oc::Span {
        trace_id: Vec::new(),
        ..span(SpanKind::Server)
    };
    let message = ExportTraceServiceRequest {
        node: None,
        spans: vec![without, span(SpanKind::Server)],
        resource: None,
    };
    let mut client = TraceServiceClient::new(channel);
    let answers = client.export(tokio_stream::iter([message])).await.unwrap();
    assert!(answers.into_inner().message().await.unwrap().is_none());
    let counts = input.statistics().counts();
    assert_eq!((counts.items_received, counts.items_rejected), (1, 1));
}
