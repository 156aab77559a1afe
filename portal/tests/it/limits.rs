use azmon_portal::{Portal, ingestion};
use serde_json::json;

use crate::client::{Harness, event, gzip, json_of};

#[tokio::test]
async fn an_item_that_is_too_large_is_refused_alone() {
    let harness = Harness::start().await;
    let large = event(&"x".repeat(ingestion::MAX_ITEM));
    let (status, answer) = harness.track(json!([event("a"), large]).to_string()).await;
    assert_eq!(status, 206);
    assert_eq!(answer["errors"][0]["index"], 1);
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("65536"), "{message}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_413() {
    let harness = Harness::start().await;
    let (status, answer) = harness.track(vec![b' '; ingestion::MAX_BODY + 1]).await;
    assert_eq!(status, 413);
    assert_eq!(answer["errors"][0]["statusCode"], 413);
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("33554432 bytes"), "{message}");
    assert_eq!(harness.portal.statistics().refused, 1);
}

#[tokio::test]
async fn a_decompression_bomb_is_413() {
    let harness = Harness::start().await;
    let bomb = gzip(&vec![b' '; ingestion::MAX_DECODED + 1]);
    assert!(bomb.len() < 1_000_000);
    let (status, answer) = harness.track(bomb).await;
    assert_eq!(status, 413, "{answer}");
}

#[tokio::test]
async fn too_many_items_are_413() {
    let harness = Harness::start().await;
    let body = format!("[{}0]", "0,".repeat(ingestion::MAX_ITEMS));
    let (status, answer) = harness.track(body).await;
    assert_eq!(status, 413, "{answer}");
}

#[tokio::test]
async fn the_oldest_items_make_room_and_the_api_says_so() {
    let harness = Harness::start_with(Portal::builder().max_items(3)).await;
    for name in ["a", "b", "c", "d", "e"] {
        harness.accept(&[event(name)]).await;
    }
    let names: Vec<_> = harness
        .portal
        .items()
        .iter()
        .map(|item| item.name().into_owned())
        .collect();
    assert_eq!(names, ["c", "d", "e"]);
    let stats = json_of(harness.get("/api/stats").send().await.unwrap()).await;
    assert_eq!(
        (&stats["items"], &stats["dropped"]),
        (&json!(3), &json!(2)),
        "{stats}"
    );
    assert_eq!(
        harness.get("/api/items/1").send().await.unwrap().status(),
        404
    );
    assert_eq!(
        harness.get("/api/items/3").send().await.unwrap().status(),
        200
    );
}

#[tokio::test]
async fn the_database_is_bounded_for_any_telemetry() {
    const LIMIT: u64 = 3_000_000;
    let harness = Harness::start_with(Portal::builder().max_bytes(LIMIT)).await;
    for _ in 0..20 {
        let items: Vec<_> = (0..50).map(|_| event(&"x".repeat(10_000))).collect();
        harness.accept(&items).await;
    }
    let statistics = harness.portal.statistics();
    assert!(statistics.bytes as u64 <= LIMIT, "{statistics:?}");
    assert!(statistics.items > 10, "{statistics:?}");
    assert_eq!(statistics.dropped, 1_000 - statistics.items as u64);
    let kept = harness.json("/api/stats").await;
    assert_eq!(kept["items"], statistics.items);
}
