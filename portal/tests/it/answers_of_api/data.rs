//! Deletion of data, and runs.

use serde_json::json;

use crate::answers_of_api::{names, shop};
use crate::client::Harness;
use crate::story::Story;

#[tokio::test]
async fn deleted_data_is_gone_and_ids_go_on() {
    let harness = shop().await;
    let newest = harness.json("/api/stats").await["newestId"]
        .as_u64()
        .unwrap();
    harness.json("/api/map").await;
    let response = harness
        .request("PUT", "/api/saved/boards/mine")
        .body("{\"a\":1}")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let response = harness.request("DELETE", "/api/data").send().await.unwrap();
    let deleted = crate::client::json_of(response).await;
    assert_eq!(deleted["items"], newest);
    assert!(harness.items("").await.is_empty());
    assert!(
        harness.json("/api/map").await["nodes"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert!(harness.json("/api/facets?q=order").await["total"] == 0);
    assert_eq!(
        harness.json("/api/saved/boards").await["saved"][0]["value"],
        json!({"a": 1})
    );
    harness.accept(&[crate::client::event("new")]).await;
    assert_eq!(
        harness.items("").await[0]["id"].as_u64().unwrap(),
        newest + 1
    );
}

#[tokio::test]
async fn one_application_can_be_deleted_alone() {
    let harness = shop().await;
    harness.accept(&[crate::client::event("other")]).await;
    let response = harness
        .request("DELETE", "/api/data?app=shop-key")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(names(&json!(harness.items("").await), "name"), ["other"]);
    assert_eq!(
        names(&harness.json("/api/apps").await["apps"], "iKey"),
        ["k"]
    );
}

#[tokio::test]
async fn a_new_version_is_a_run_that_is_compared_with_the_one_before() {
    let harness = Harness::start().await;
    harness.accept(&Story::ago(120).orders(4)).await;
    let story = Story::ago(60);
    let mut items = Vec::new();
    for mut item in story.orders(8) {
        item["tags"]["ai.application.ver"] = json!("1.1");
        items.push(item);
    }
    harness.accept(&items).await;
    let runs = harness.json("/api/runs").await;
    let numbers: Vec<_> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(
        (&runs["runs"][0]["version"], &runs["runs"][0]["reason"]),
        (&json!("1.1"), &json!("version"))
    );
    let compare = harness.json("/api/compare").await;
    let row = compare["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "operation" && row["role"] == "shop")
        .unwrap();
    assert_eq!(
        (&row["a"]["count"], &row["b"]["count"]),
        (&json!(8), &json!(4))
    );
    let response = harness
        .request("POST", "/api/runs?app=shop-key")
        .send()
        .await
        .unwrap();
    assert_eq!(crate::client::json_of(response).await["number"], 3);
}
