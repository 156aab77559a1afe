use serde_json::{Value, json};

use crate::client::{Harness, event, json_of, request};

#[tokio::test]
async fn an_item_has_the_documented_fields() {
    let harness = Harness::start().await;
    let sent = request("GET /orders/{id}", "0af7651916cd43dd8448eb211c80319c");
    harness.accept(std::slice::from_ref(&sent)).await;
    let mut item = harness.items("?envelopes=true").await.remove(0);
    let received = item.as_object_mut().unwrap().remove("received").unwrap();
    assert!(received.as_str().unwrap().ends_with('Z'));
    item.as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    assert_eq!(
        item,
        json!({
            "id": 1,
            "itemType": "request",
            "timestamp": "2026-11-20T12:00:00.25Z",
            "name": "GET /orders/{id}",
            "iKey": "00000000-0000-0000-0000-000000000000",
            "operationId": "0af7651916cd43dd8448eb211c80319c",
            "operationName": "GET /orders/{id}",
            "spanId": "b7ad6b7169203331",
            "durationMs": 125.0,
            "resultCode": "200",
            "success": true,
            "data": "http://localhost/",
            "roleName": "shop",
            "roleInstance": "shop-1",
            "itemCount": 1,
            "envelope": sent,
        })
    );
}

#[tokio::test]
async fn absent_fields_of_an_item_are_null() {
    let harness = Harness::start().await;
    harness.accept(&[event("sold")]).await;
    let item = harness.items("").await.remove(0);
    assert_eq!(
        (&item["itemType"], &item["name"]),
        (&json!("customEvent"), &json!("sold"))
    );
    for field in [
        "operationId",
        "operationName",
        "operationParentId",
        "durationMs",
        "resultCode",
        "success",
        "roleName",
        "roleInstance",
    ] {
        assert_eq!(item.get(field), Some(&Value::Null), "{field}");
    }
}

#[tokio::test]
async fn items_are_chosen_by_kind_operation_and_limit() {
    let harness = Harness::start().await;
    harness
        .accept(&[
            request("a", "1"),
            event("b"),
            request("c", "2"),
            request("d", "1"),
        ])
        .await;
    for (query, expected) in [
        ("", vec!["d", "c", "a", "b"]),
        ("?order=arrival", vec!["d", "c", "b", "a"]),
        ("?kind=request", vec!["d", "c", "a"]),
        ("?kind=customEvent", vec!["b"]),
        ("?kind=CUSTOMEVENT", vec!["b"]),
        ("?kind=trace", vec![]),
        ("?operation=1", vec!["d", "a"]),
        ("?operation=1&kind=request&limit=1", vec!["d"]),
        ("?order=arrival&limit=2", vec!["d", "c"]),
        ("?after=2", vec!["c", "d"]),
        ("?before=3", vec!["a", "b"]),
        ("?q=c", vec!["c"]),
        ("?f=name~not~b&kind=customEvent", vec![]),
        ("?op=c", vec!["c"]),
        ("?limit=2", vec!["d", "c"]),
        ("?limit=0", vec![]),
    ] {
        let items = harness.items(query).await;
        let names: Vec<_> = items
            .iter()
            .map(|item| item["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{query}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_400_and_named() {
    let harness = Harness::start().await;
    for (query, word) in [
        ("?kind=nonsense", "customEvent"),
        ("?limit=many", "limit"),
        ("?limit=10001", "10000"),
        ("?colour=green", "colour"),
    ] {
        let response = harness
            .get(&format!("/api/items{query}"))
            .send()
            .await
            .unwrap();
        assert_eq!(response.status(), 400, "{query}");
        let body = json_of(response).await;
        assert_eq!(body["errorCode"], "BadRequest");
        assert!(body["message"].as_str().unwrap().contains(word), "{body}");
    }
}

#[tokio::test]
async fn health_counts_received_and_refused_items() {
    let harness = Harness::start().await;
    harness
        .track(json!([event("a"), event("")]).to_string())
        .await;
    let mut health = json_of(harness.get("/api/health").send().await.unwrap()).await;
    let bytes = health.as_object_mut().unwrap().remove("bytes").unwrap();
    assert!(bytes.as_i64().unwrap() > 0);
    assert_eq!(
        health,
        json!({"status": "ok", "version": env!("CARGO_PKG_VERSION"), "received": 1, "refused": 1, "dropped": 0, "items": 1})
    );
}

#[tokio::test]
async fn an_unknown_path_is_404_and_says_where_telemetry_goes() {
    let harness = Harness::start().await;
    for (method, path) in [("GET", "/nothing"), ("POST", "/v3/track")] {
        let response = harness.request(method, path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        let body = json_of(response).await;
        assert_eq!(body["errorCode"], "NotFound");
        let message = body["message"].as_str().unwrap();
        assert!(
            message.contains(path) && message.contains("/v2.1/track"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_wrong_method_is_405() {
    let harness = Harness::start().await;
    for (method, path) in [
        ("GET", "/v2.1/track"),
        ("POST", "/"),
        ("DELETE", "/api/items"),
    ] {
        let response = harness.request(method, path).send().await.unwrap();
        assert_eq!(response.status(), 405, "{method} {path}");
    }
}
