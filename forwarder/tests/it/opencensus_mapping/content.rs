//! Properties, links, events and errors of a span.

use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, tags};
use azmon_forwarder::proto::opencensus::proto::agent::common::v1::Node;
use azmon_forwarder::proto::opencensus::proto::trace::v1 as oc;
use azmon_forwarder::proto::opencensus::proto::trace::v1::attribute_value::Value;
use azmon_forwarder::proto::opencensus::proto::trace::v1::span::{
    Link, Links, SpanKind, TimeEvent, TimeEvents, link, time_event,
};

use super::{at, attributes, mapped, mapped_of, one, span, string, text, texts, with};
use crate::support::{name, property, tag};

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
