//! Operations, breakdowns and metrics.

use serde_json::{Value, json};

use crate::answers_of_api::{names, shop};
use crate::client::Harness;
use crate::story::Story;

#[tokio::test]
async fn operations_have_counts_failures_and_percentiles() {
    let harness = shop().await;
    let answer = harness.json("/api/operations").await;
    let row = &answer["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["role"] == "shop")
        .unwrap()["stats"];
    assert_eq!((&row["count"], &row["failed"]), (&json!(8), &json!(2)));
    let median = row["p50Ms"].as_f64().unwrap();
    assert!((95.0..=100.1).contains(&median), "{median}");
    assert_eq!(
        answer["counts"],
        json!({"operations": 2, "dependencies": 2, "roles": 2})
    );
    let series = answer["series"].as_array().unwrap();
    let counts = &series
        .iter()
        .find(|series| series["name"] == "count")
        .unwrap()["values"];
    let sum: f64 = counts
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_f64)
        .sum();
    assert_eq!(sum, 16.0);
}

#[tokio::test]
async fn a_sampled_item_counts_as_those_that_it_stands_for() {
    let harness = Harness::start().await;
    let mut item = Story::ago(5).request(("shop", "GET /"), (0, 10), ("1", "1", ""), "200");
    item["sampleRate"] = json!(25);
    harness.accept(&[item]).await;
    let answer = harness.json("/api/operations").await;
    assert_eq!(answer["overall"]["count"], 4);
    assert_eq!(harness.json("/api/facets").await["total"], 4);
}

#[tokio::test]
async fn the_time_of_an_operation_goes_where_its_critical_path_goes() {
    let harness = shop().await;
    let answer = harness.json("/api/breakdown?op=POST%20/orders").await;
    assert_eq!(answer["transactions"], 8);
    let sum: f64 = answer["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| part["share"].as_f64().unwrap())
        .sum();
    assert!((sum - 1.0).abs() < 1e-6, "{answer:#}");
    let part = |name: &str| {
        answer["parts"]
            .as_array()
            .unwrap()
            .iter()
            .find(|part| part["name"] == name)
            .unwrap()["share"]
            .as_f64()
            .unwrap()
    };
    assert!((part("payments") - 0.6).abs() < 0.01);
    assert!((part("shop-db") - 0.1).abs() < 0.01);
}

#[tokio::test]
async fn metrics_are_split_by_any_property_and_have_exemplars() {
    let harness = shop().await;
    let answer = harness
        .json("/api/metrics/series?name=cart.lines&split=merchant")
        .await;
    let values: Vec<_> = answer["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| (series["key"][0]["value"].clone(), series["avg"].clone()))
        .collect();
    assert_eq!(
        values,
        [(json!("m-2"), json!(5.0)), (json!("m-1"), json!(3.0))]
    );
    let answer = harness
        .json("/api/metrics/series?name=requests/duration&aggregation=max")
        .await;
    let series = &answer["series"][0];
    assert_eq!(series["count"], 16);
    assert!(!series["exemplars"].as_array().unwrap().is_empty());
    let names = names(&harness.json("/api/metrics").await["metrics"], "name");
    for name in [
        "requests/duration",
        "dependencies/failed",
        "exceptions/count",
        "cart.lines",
    ] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}
