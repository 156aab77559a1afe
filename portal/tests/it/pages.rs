use azmon_envelope::tags;
use serde_json::{Value, json};

use crate::client::{Harness, event, request};

fn dependency(name: &str, operation: &str) -> Value {
    let mut item = request(name, operation);
    item["data"] = json!({"baseType": "RemoteDependencyData", "baseData": {
        "id": "2", "name": name, "duration": "00:00:00.0400000", "success": false, "resultCode": "503",
        "type": "HTTP", "target": "stock:8080"
    }});
    item["time"] = json!("2026-11-20T12:00:00.300000Z");
    item
}

#[tokio::test]
async fn the_empty_page_says_how_to_connect() {
    let harness = Harness::start().await;
    let page = harness.page("/").await;
    let line = format!(
        "APPLICATIONINSIGHTS_CONNECTION_STRING={}",
        harness.portal.connection_string()
    );
    assert!(page.contains(&line), "{page}");
}

#[tokio::test]
async fn the_table_shows_what_a_request_is() {
    let harness = Harness::start().await;
    harness
        .accept(&[request("GET /orders/{id}", "0af76519")])
        .await;
    let page = harness.page("/").await;
    for text in [
        "12:00:00.250",
        "Request",
        "GET /orders/{id}",
        "125 ms",
        "<td class=\"result\">200</td>",
        "✓ yes",
        "<td class=\"role\">shop</td>",
        "href=\"/items/1\"",
        "href=\"/operations/0af76519\"",
    ] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("APPLICATIONINSIGHTS_CONNECTION_STRING"));
}

#[tokio::test]
async fn the_newest_item_is_at_the_top() {
    let harness = Harness::start().await;
    harness
        .accept(&[dependency("later", "1"), request("earlier", "1")])
        .await;
    let page = harness.page("/").await;
    assert!(page.find(">later<").unwrap() < page.find(">earlier<").unwrap());
}

#[tokio::test]
async fn a_kind_can_be_chosen() {
    let harness = Harness::start().await;
    harness
        .accept(&[request("the request", "1"), event("the event")])
        .await;
    let page = harness.page("/?kind=customEvent").await;
    assert!(page.contains("the event") && !page.contains("the request"));
    assert!(
        harness
            .page("/?kind=trace")
            .await
            .contains("none of this kind")
    );
}

#[tokio::test]
async fn parameters_that_make_no_sense_show_everything() {
    let harness = Harness::start().await;
    harness.accept(&[event("the event")]).await;
    for query in ["kind=nonsense", "kind=a&kind=b", "kind=%FF", "unknown=1"] {
        let page = harness.page(&format!("/?{query}")).await;
        assert!(page.contains("the event"), "{query}");
    }
}

#[tokio::test]
async fn an_item_page_shows_every_field_and_the_json() {
    let harness = Harness::start().await;
    let mut item = request("GET /", "1");
    item["data"]["baseData"]["measurements"] = json!({"size": 12.5});
    item["data"]["baseData"]["newField"] = json!({"of": "tomorrow"});
    item["sampleRate"] = json!(50);
    item["tags"][tags::SESSION_ID] = json!("session-7");
    harness.accept(&[item]).await;
    let page = harness.page("/items/1").await;
    for text in [
        "colour",
        "green",
        "size",
        "12.5",
        "newField",
        "tomorrow",
        "sampleRate",
        "50",
        "session-7",
        "http://localhost/",
        "b7ad6b7169203331",
        "shop-1",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let pretty = "  &#34;baseType&#34;: &#34;RequestData&#34;";
    assert!(page.contains(pretty), "{page}");
}

#[tokio::test]
async fn an_exception_page_shows_causes_and_stacks() {
    let harness = Harness::start().await;
    let mut item = event("");
    item["data"] = json!({"baseType": "ExceptionData", "baseData": {"exceptions": [
        {"typeName": "OrderError", "message": "cannot place the order", "stack": "0: shop::order\n1: main"},
        {"typeName": "IoError", "message": "broken pipe", "parsedStack": [
            {"level": 0, "method": "write", "fileName": "pipe.rs", "line": 7}]},
    ]}});
    harness.accept(&[item]).await;
    let page = harness.page("/items/1").await;
    for text in [
        "OrderError",
        "cannot place the order",
        "0: shop::order\n1: main",
        "IoError",
        "write  pipe.rs:7",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[tokio::test]
async fn an_operation_page_shows_its_items_as_they_happened() {
    let harness = Harness::start().await;
    harness
        .accept(&[
            dependency("call", "op"),
            request("GET /", "op"),
            request("other", "another"),
        ])
        .await;
    let page = harness.page("/operations/op").await;
    assert!(page.find(">GET /<").unwrap() < page.find(">call<").unwrap());
    assert!(!page.contains(">other<"));
    for text in [
        "2 items",
        "125 ms",
        "has failures",
        "HTTP · stock:8080",
        "<rect x=\"40.00\" width=\"32.00\"",
    ] {
        assert!(page.contains(text), "{text}");
    }
}

#[tokio::test]
async fn any_operation_id_can_be_followed() {
    let harness = Harness::start().await;
    for id in ["|4bf92f.00f0.", "a/b", "//", "a?b#c", "ä&=%2F", "a b+c"] {
        harness.accept(&[request("GET /", id)]).await;
        let page = harness.page("/").await;
        let link = page.split("href=\"/operations/").nth(1).unwrap();
        let (link, _) = link.split_once('"').unwrap();
        let operation = harness.page(&format!("/operations/{link}")).await;
        assert!(operation.contains("1 item"), "{id}");
    }
}

#[tokio::test]
async fn what_is_not_here_is_404_with_a_page() {
    let harness = Harness::start().await;
    for path in [
        "/items/1",
        "/items/nonsense",
        "/items/99999999999999999999",
        "/operations/none",
        "/operations/%FF",
    ] {
        let response = harness.get(path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        assert!(
            response.text().await.unwrap().contains("is not here"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_page_that_has_not_changed_is_not_sent_again() {
    let harness = Harness::start().await;
    harness.accept(&[request("GET /", "op")]).await;
    for path in ["/", "/operations/op"] {
        let first = harness.get(path).send().await.unwrap();
        let tag = first.headers()["etag"].clone();
        let again = harness.get(path).header("if-none-match", &tag);
        assert_eq!(again.send().await.unwrap().status(), 304, "{path}");

        harness.accept(&[event("new")]).await;
        let changed = harness.get(path).header("if-none-match", &tag);
        assert_eq!(changed.send().await.unwrap().status(), 200, "{path}");
    }
}

#[tokio::test]
async fn a_page_has_at_most_200_rows_and_says_so() {
    let harness = Harness::start().await;
    let items: Vec<_> = (0..201)
        .map(|index| event(&format!("event {index}")))
        .collect();
    harness.accept(&items).await;
    let page = harness.page("/").await;
    assert_eq!(page.matches("<tr data-key=").count(), 200);
    assert!(page.contains("The newest 200 of 201 are shown."));
}
