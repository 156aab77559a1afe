//! Transactions.

use serde_json::{Value, json};

use crate::answers_of_api::shop;
use crate::story::operation;

#[tokio::test]
async fn a_transaction_has_every_item_under_its_parent() {
    let harness = shop().await;
    let transaction = harness
        .json(&format!("/api/transactions/{}", operation(2)))
        .await;
    assert_eq!(transaction["name"], "POST /orders");
    assert_eq!(
        (&transaction["success"], &transaction["resultCode"]),
        (&json!(false), &json!("502"))
    );
    let items = transaction["items"].as_array().unwrap();
    assert_eq!(items.len(), 6);
    let id = |name: &str| {
        items
            .iter()
            .find(|part| part["item"]["name"] == name)
            .unwrap()["item"]["id"]
            .clone()
    };
    let parent = |kind: &str, name: &str| {
        let found = items.iter().find(|part| {
            part["item"]["itemType"] == kind
                && part["item"]["name"].as_str().unwrap().contains(name)
        });
        found.unwrap()["parent"].clone()
    };
    let call = items
        .iter()
        .find(|part| part["item"]["target"] == "payments:80")
        .unwrap()["item"]["id"]
        .clone();
    assert_eq!(parent("request", "POST /orders"), Value::Null);
    assert_eq!(parent("dependency", "SELECT"), id("POST /orders"));
    assert_eq!(parent("request", "POST /charge"), call);
    assert_eq!(parent("trace", "placed"), id("POST /orders"));
    assert!(items.iter().all(|part| part["isOrphan"] == false));
    let frames = &items
        .iter()
        .find(|part| part["item"]["itemType"] == "exception")
        .unwrap()["causes"][0]["frames"];
    assert_eq!(
        (&frames[0]["isOwn"], &frames[1]["isOwn"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn transactions_are_found_by_their_items() {
    let harness = shop().await;
    for (query, count) in [
        ("", 8),
        ("?success=false", 2),
        ("?kind=exception", 2),
        ("?q=declined", 2),
        ("?target=shop-db", 8),
        ("?op=POST%20/orders&duration=..50", 0),
        ("?limit=3", 3),
    ] {
        let found = harness.json(&format!("/api/transactions{query}")).await;
        assert_eq!(
            found["transactions"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    let found = harness
        .json("/api/transactions?kind=exception&limit=1")
        .await;
    let row = &found["transactions"][0];
    assert_eq!(row["roles"], json!(["shop", "payments"]));
    assert_eq!(
        (&row["spans"], &row["exceptions"], &row["isComplete"]),
        (&json!(4), &json!(1), &json!(true))
    );
}
