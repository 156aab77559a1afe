use serde_json::{Value, json};

use crate::client::{Harness, event, request};

const MARKUP: &str = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'><b>";

#[tokio::test]
async fn markup_is_sent_as_json_and_as_nothing_else() {
    let harness = Harness::start().await;
    let mut item = request(MARKUP, MARKUP);
    item["iKey"] = json!(MARKUP);
    item["name"] = json!(MARKUP);
    item["tags"]["ai.cloud.role"] = json!(MARKUP);
    item["tags"][MARKUP] = json!(MARKUP);
    let data = &mut item["data"]["baseData"];
    data["responseCode"] = json!(MARKUP);
    data["url"] = json!(format!("javascript:alert('{MARKUP}')"));
    data["properties"] = json!({MARKUP: MARKUP});
    data["measurements"] = json!({MARKUP: 1});
    data[MARKUP] = json!(MARKUP);
    let mut exception = event("");
    exception["tags"] = json!({"ai.operation.id": MARKUP});
    exception["data"] = json!({"baseType": "ExceptionData", "baseData": {"exceptions": [
        {"typeName": MARKUP, "message": MARKUP, "stack": MARKUP}]}});
    harness.accept(&[item, exception]).await;

    // Pages are rendered in the browser, where another test checks each; the server must send pure JSON.
    for path in ["/api/items", "/api/items/1", "/api/items/2"] {
        let response = harness.get(path).send().await.unwrap();
        assert_eq!(
            response.headers()["content-type"],
            "application/json",
            "{path}"
        );
        assert_eq!(
            response.headers()["x-content-type-options"],
            "nosniff",
            "{path}"
        );
        assert!(
            response.text().await.unwrap().contains("alert(1)"),
            "{path}"
        );
    }
    assert!(!harness.page("/").await.contains("alert(1)"));
}

#[tokio::test]
async fn markup_in_an_address_is_not_echoed() {
    let harness = Harness::start().await;
    let response = harness
        .get("/transactions/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
        .send()
        .await
        .unwrap();
    assert!(!response.text().await.unwrap().contains("<script>alert"));
}

#[tokio::test]
async fn strange_text_is_kept_to_the_letter() {
    let harness = Harness::start().await;
    let texts = [
        "\u{0}\u{1}\u{7f}",
        "\u{202e}reversed",
        "🦀é世",
        "\u{feff}",
        "\r\n\t",
        "{{ 7 * 7 }}",
        "%s%n",
    ];
    let items: Vec<Value> = texts.iter().map(|text| event(text)).collect();
    harness.accept(&items).await;
    for (item, text) in harness.portal.items().iter().zip(texts) {
        assert_eq!(item.name(), text);
        harness.page(&format!("/api/items/{}", item.id())).await;
    }
}

#[tokio::test]
async fn deep_nesting_is_refused_where_it_is_read_and_shown_where_it_is_not() {
    let harness = Harness::start().await;
    let nested = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let unread = event("deep")
        .to_string()
        .replace("\"iKey\"", &format!("\"extra\":{nested},\"iKey\""));
    let (status, answer) = harness.track(unread).await;
    assert_eq!(status, 200, "{answer}");
    assert!(harness.page("/api/items/1").await.contains("deep"));

    let read = event("deep").to_string().replace("\"deep\"", &nested);
    let (status, answer) = harness.track(read).await;
    assert_eq!(status, 400, "{answer}");
}

#[tokio::test]
async fn an_item_of_thousands_of_fields_is_shown() {
    let harness = Harness::start().await;
    let mut item = event("wide");
    let fields = (0..4_000).map(|index| (index.to_string(), json!(index)));
    item["data"]["baseData"]["properties"] = Value::Object(fields.collect());
    harness.accept(&[item]).await;
    assert!(harness.page("/api/items/1").await.contains("\"3999\""));
}
