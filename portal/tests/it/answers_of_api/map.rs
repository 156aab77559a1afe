//! The application map.

use serde_json::json;

use crate::answers_of_api::{names, shop};
use crate::client::Harness;
use crate::story::Story;

#[tokio::test]
async fn both_sides_of_a_call_are_one_edge_in_whichever_order_they_arrive() {
    for order in ["caller first", "callee first", "in one batch"] {
        let harness = Harness::start().await;
        let story = Story::ago(20);
        let caller = story.dependency(
            "shop",
            ("HTTP", "payments:80", "POST /charge"),
            (0, 70),
            ("1", "call", ""),
            "200",
        );
        let callee = story.request(
            ("payments", "POST /charge"),
            (5, 60),
            ("1", "pay", "call"),
            "200",
        );
        match order {
            "caller first" => {
                harness.accept(&[caller]).await;
                harness.accept(&[callee]).await;
            }
            "callee first" => {
                harness.accept(&[callee]).await;
                harness.accept(&[caller]).await;
            }
            _ => harness.accept(&[callee, caller]).await,
        }
        let map = harness.json("/api/map").await;
        assert_eq!(
            names(&map["nodes"], "id"),
            ["role:payments", "role:shop"],
            "{order}"
        );
        assert_eq!(
            map["edges"].as_array().unwrap().len(),
            1,
            "{order}: {map:#}"
        );
        let edge = &map["edges"][0];
        assert_eq!(edge["id"], "role:shop>role:payments", "{order}");
        assert_eq!(
            (
                &edge["caller"]["count"],
                &edge["callee"]["count"],
                &edge["matched"]
            ),
            (&json!(1), &json!(1), &json!(1))
        );
        let network = edge["networkMs"].as_f64().unwrap();
        assert!((network - 10.0).abs() < 0.1, "{order}: {network}");
    }
}

#[tokio::test]
async fn the_map_has_roles_and_targets_that_send_no_telemetry() {
    let harness = shop().await;
    let map = harness.json("/api/map").await;
    assert_eq!(
        names(&map["nodes"], "id"),
        [
            "dependency:postgresql|shop-db",
            "role:payments",
            "role:shop"
        ]
    );
    assert_eq!(
        names(&map["edges"], "id"),
        [
            "role:shop>dependency:postgresql|shop-db",
            "role:shop>role:payments"
        ]
    );
    let node = harness.json("/api/map/node?id=role:shop").await;
    let per_request: Vec<_> = node["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|call| call["perRequest"].as_f64().unwrap())
        .collect();
    assert_eq!(per_request, [1.0, 1.0]);
    let edge = harness
        .json("/api/map/edge?id=role:shop>role:payments")
        .await;
    assert_eq!(
        edge["answers"],
        json!([{"name": "502", "count": 2, "was": null}])
    );
    let missing = harness
        .get("/api/map/node?id=role:none")
        .send()
        .await
        .unwrap();
    assert_eq!(missing.status(), 404);
}
