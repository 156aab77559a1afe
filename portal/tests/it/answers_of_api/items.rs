//! Facets, and items that arrive.

use serde_json::{Value, json};

use crate::answers_of_api::shop;
use crate::client::Harness;
use crate::story::Story;

#[tokio::test]
async fn facets_count_items_that_match_the_other_filters() {
    let harness = shop().await;
    let answer = harness
        .json("/api/facets?kind=request&f=role~is~shop")
        .await;
    assert_eq!(answer["total"], 8);
    let facet = |name: &str| {
        let facets = answer["facets"].as_array().unwrap();
        facets.iter().find(|facet| facet["field"] == name).unwrap()["values"].clone()
    };
    assert_eq!(
        facet("role"),
        json!([{"value": "payments", "count": 8}, {"value": "shop", "count": 8}])
    );
    assert_eq!(
        facet("resultCode"),
        json!([{"value": "200", "count": 6}, {"value": "502", "count": 2}])
    );
    let nothing = harness
        .json("/api/facets?f=role~is~shop&f=resultCode~is~404&kind=request")
        .await;
    assert_eq!(nothing["total"], 0);
    assert_eq!(
        nothing["without"],
        json!([{"filter": "resultCode", "total": 8}])
    );
}

#[tokio::test]
async fn a_query_waits_for_telemetry_in_transit() {
    let harness = std::sync::Arc::new(Harness::start().await);
    let waiting = {
        let harness = std::sync::Arc::clone(&harness);
        tokio::spawn(async move { harness.items("?kind=request&wait=30s&min=2").await })
    };
    let story = Story::ago(1);
    for id in ["1", "2"] {
        harness
            .accept(&[story.request(("shop", "GET /"), (0, 1), (id, id, ""), "200")])
            .await;
    }
    assert_eq!(waiting.await.unwrap().len(), 2);
    assert!(harness.items("?kind=trace&wait=50ms").await.is_empty());
}

#[tokio::test]
async fn ticks_and_items_are_streamed() {
    let harness = Harness::start().await;
    let mut tail = harness.get("/api/tail?kind=request").send().await.unwrap();
    let mut events = harness.get("/api/events").send().await.unwrap();
    assert_eq!(events.headers()["content-type"], "text/event-stream");
    harness
        .accept(&[
            crate::client::event("no"),
            Story::ago(1).request(("shop", "GET /"), (0, 1), ("1", "1", ""), "200"),
        ])
        .await;
    let text = String::from_utf8(tail.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(
        text.starts_with("event: item\n") && text.contains("GET /") && !text.contains("\"no\""),
        "{text}"
    );
    let text = String::from_utf8(events.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let data = text
        .lines()
        .find_map(|line| line.strip_prefix("data: "))
        .unwrap();
    let tick: Value = serde_json::from_str(data).unwrap();
    assert!(
        tick["perSecond"].is_number() && tick["changed"].is_array(),
        "{tick}"
    );
}
