use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::client::{Harness, event, gzip, request};

#[tokio::test]
async fn all_accepted_is_200() {
    let harness = Harness::start().await;
    let (status, answer) = harness
        .track(json!([event("a"), event("b")]).to_string())
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        answer,
        json!({"itemsReceived": 2, "itemsAccepted": 2, "errors": []})
    );
}

#[tokio::test]
async fn some_refused_is_206_with_their_indexes() {
    let harness = Harness::start().await;
    let mut keyless = event("keyless");
    keyless["iKey"] = json!("");
    let mut timeless = request("GET /", "1");
    timeless["data"]["baseData"]
        .as_object_mut()
        .unwrap()
        .remove("duration");
    let items = json!([event("a"), keyless, event("b"), timeless, event("c")]);
    let (status, answer) = harness.track(items.to_string()).await;
    assert_eq!(status, 206);
    assert_eq!(
        answer,
        json!({"itemsReceived": 5, "itemsAccepted": 3, "errors": [
            {"index": 1, "statusCode": 400, "message": "Invalid instrumentation key"},
            {"index": 3, "statusCode": 400,
             "message": "109: Field 'duration' on type 'RequestData' is required but missing or empty"},
        ]})
    );
    let stored: Vec<_> = harness
        .portal
        .items()
        .iter()
        .map(|item| item.name().into_owned())
        .collect();
    assert_eq!(stored, ["a", "b", "c"]);
    assert_eq!(harness.portal.statistics().refused, 2);
}

#[tokio::test]
async fn a_broken_line_is_206_with_its_index() {
    let harness = Harness::start().await;
    let body = format!("{}\r\n\r\n{{\"name\":\r\n{}\r\n", event("a"), event("b"));
    let (status, answer) = harness.track(body).await;
    assert_eq!(status, 206);
    assert_eq!(
        (&answer["itemsReceived"], &answer["itemsAccepted"]),
        (&json!(3), &json!(2))
    );
    assert_eq!(answer["errors"][0]["index"], 1);
    assert_eq!(harness.portal.items().len(), 2);
}

#[tokio::test]
async fn nothing_accepted_is_400() {
    let harness = Harness::start().await;
    for body in [
        "hello",
        "1",
        "null",
        "[1,2]",
        "{}",
        "[{}]",
        "{\"data\":{}}",
        "\u{0}",
    ] {
        let (status, answer) = harness.track(body).await;
        assert_eq!(status, 400, "{body}");
        assert_eq!(answer["itemsAccepted"], 0, "{body}");
        assert!(!answer["errors"].as_array().unwrap().is_empty(), "{body}");
    }
    assert!(harness.portal.items().is_empty());
}

#[tokio::test]
async fn a_body_without_items_is_400_and_says_why() {
    let harness = Harness::start().await;
    let whole = gzip(event("a").to_string().as_bytes());
    for (body, reason) in [
        (b"".to_vec(), "body is empty"),
        (b"[{\"a\":1},".to_vec(), "not a JSON array"),
        (vec![b'[', 0xff, b']'], "not a JSON array"),
        (whole[..whole.len() - 5].to_vec(), "not valid gzip"),
        (vec![0x1f, 0x8b, 1, 2, 3], "not valid gzip"),
    ] {
        let (status, answer) = harness.track(body).await;
        assert_eq!(status, 400, "{reason}");
        assert_eq!(answer["itemsReceived"], 0);
        let error = &answer["errors"][0];
        assert_eq!(
            (&error["index"], &error["statusCode"]),
            (&json!(0), &json!(400))
        );
        assert!(
            error["message"].as_str().unwrap().contains(reason),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_empty_array_is_accepted() {
    let harness = Harness::start().await;
    let (status, answer) = harness.track("[]").await;
    assert_eq!(status, 200);
    assert_eq!(
        answer,
        json!({"itemsReceived": 0, "itemsAccepted": 0, "errors": []})
    );
}

#[tokio::test]
async fn both_versions_and_any_slashes_are_accepted() {
    let harness = Harness::start().await;
    let paths = [
        "/v2.1/track",
        "/v2/track",
        "//v2.1/track",
        "/v2.1/track/",
        "//v2//track//",
        "/v2/track?a=b",
    ];
    for path in paths {
        let response = harness
            .post(path)
            .body(event("a").to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 200, "{path}");
    }
    assert_eq!(harness.portal.items().len(), paths.len());
}

#[tokio::test]
async fn any_content_type_is_accepted_and_none() {
    let harness = Harness::start().await;
    for content_type in [
        None,
        Some("application/json"),
        Some("application/json; charset=utf-8"),
        Some("application/x-json-stream"),
        Some("text/plain"),
        Some("nonsense"),
    ] {
        let mut request = harness.post("/v2.1/track").body(event("a").to_string());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        assert_eq!(
            request.send().await.unwrap().status(),
            200,
            "{content_type:?}"
        );
    }
}

#[tokio::test]
async fn gzip_is_accepted_with_and_without_its_header() {
    let harness = Harness::start().await;
    let body = gzip(format!("{}\n{}", event("a"), event("b")).as_bytes());
    for encoding in [Some("gzip"), None] {
        let mut request = harness.post("/v2.1/track").body(body.clone());
        if let Some(encoding) = encoding {
            request = request.header("content-encoding", encoding);
        }
        assert_eq!(request.send().await.unwrap().status(), 200, "{encoding:?}");
    }
    assert_eq!(harness.portal.items().len(), 4);
}

#[tokio::test]
async fn another_encoding_is_415() {
    let harness = Harness::start().await;
    let request = harness.post("/v2.1/track").header("content-encoding", "br");
    let response = request.body(event("a").to_string()).send().await.unwrap();
    assert_eq!(response.status(), 415);
}

#[tokio::test]
async fn concurrent_clients_lose_nothing() {
    let harness = Arc::new(Harness::start().await);
    let mut clients = JoinSet::new();
    for client in 0..8 {
        let harness = Arc::clone(&harness);
        clients.spawn(async move {
            for batch in 0..10 {
                let name = |item| format!("{client}-{batch}-{item}");
                let items: Vec<Value> = (0..20).map(|item| event(&name(item))).collect();
                harness.accept(&items).await;
            }
        });
    }
    clients.join_all().await;
    let items = harness.portal.items();
    let names: BTreeSet<_> = items.iter().map(|item| item.name().into_owned()).collect();
    assert_eq!((items.len(), names.len()), (1_600, 1_600));
    assert!(items.iter().zip(1..).all(|(item, id)| item.id() == id));
}
