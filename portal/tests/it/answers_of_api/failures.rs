//! Problems and differences.

use serde_json::json;

use crate::answers_of_api::{names, shop};

#[tokio::test]
async fn exceptions_of_one_problem_are_one_row_that_ends_in_its_requests() {
    let harness = shop().await;
    let answer = harness.json("/api/problems").await;
    assert_eq!(answer["total"], 2);
    let problem = &answer["problems"][0];
    assert_eq!(problem["problemId"], "CardError at payments::charge");
    assert_eq!(
        (&problem["count"], &problem["users"], &problem["role"]),
        (&json!(2), &json!(2), &json!("payments"))
    );
    let detail = harness
        .json(&format!("/api/problems/{}", problem["id"]))
        .await;
    assert_eq!(
        names(&detail["endsIn"], "name"),
        ["POST /charge", "POST /orders"]
    );
    assert_eq!(detail["samples"].as_array().unwrap().len(), 2);
    let items = harness.items(&format!("?problem={}", problem["id"])).await;
    assert_eq!(items.len(), 2);
}

#[tokio::test]
async fn differences_of_failed_calls_are_listed() {
    let harness = shop().await;
    let answer = harness
        .json("/api/difference?op=POST%20/orders&success=false")
        .await;
    assert_eq!(
        (&answer["selected"], &answer["rest"]),
        (&json!(2), &json!(6))
    );
    let differences = answer["differences"].as_array().unwrap();
    let merchant = differences
        .iter()
        .find(|difference| difference["field"] == "merchant")
        .unwrap();
    assert_eq!(
        (&merchant["value"], &merchant["selected"], &merchant["rest"]),
        (&json!("m-1"), &json!(1.0), &json!(0.0))
    );
    let dependency = differences
        .iter()
        .find(|difference| difference["field"] == "failed dependency")
        .unwrap();
    assert_eq!(dependency["value"], "payments:80 502");
    let nothing = harness.get("/api/difference?op=a").send().await.unwrap();
    assert_eq!(nothing.status(), 400);
}
