//! The fields of requests and dependencies.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use azmon::envelope::{Data, tags};
use azmon_forwarder::inputs::OpenCensusOptions;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::ExportTraceServiceRequest;
use azmon_forwarder::proto::opencensus::proto::agent::trace::v1::trace_service_client::TraceServiceClient;
use azmon_forwarder::proto::opencensus::proto::trace::v1 as oc;
use azmon_forwarder::proto::opencensus::proto::trace::v1::attribute_value::Value;
use azmon_forwarder::proto::opencensus::proto::trace::v1::span::{
    SpanKind, Tracestate, tracestate,
};

use super::{attributes, mapped, one, span, string, texts, with};
use crate::opencensus::serve;
use crate::support::{Kept, name, property, tag};

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
