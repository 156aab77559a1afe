//! The doctor.

use serde_json::{Value, json};

use crate::answers_of_api::names;
use crate::client::Harness;
use crate::story::Story;

#[tokio::test]
async fn the_doctor_reports_telemetry_that_azure_would_draw_wrongly() {
    let harness = Harness::start().await;
    let mut item = Story::ago(5).request(("", "GET /orders/7"), (0, 1), ("1", "1", ""), "200");
    item["tags"]["ai.cloud.role"] = json!("");
    harness.accept(&[item]).await;
    harness.track("[{}]").await;
    harness.accept(&[crate::client::event("after")]).await;
    let doctor = harness.json("/api/doctor").await;
    let titles = names(&doctor["findings"], "title").join("\n");
    for part in [
        "without a role name",
        "have an id in their name",
        "items refused: ",
    ] {
        assert!(titles.contains(part), "{part} in {titles}");
    }
    let passed = names(&doctor["passed"], "id");
    assert!(
        passed.iter().any(|id| id == "cut") && !passed.iter().any(|id| id == "no-role"),
        "{passed:?}"
    );
}

#[tokio::test]
async fn the_doctor_tells_refusals_by_client() {
    let harness = Harness::start().await;
    let mut wrong = crate::client::event("");
    wrong["tags"] = json!({"ai.internal.sdkVersion": "node:2.9.8"});
    let mut right = crate::client::event("well");
    right["tags"] = json!({"ai.internal.sdkVersion": "node:2.9.8", "ai.cloud.role": "web"});
    harness
        .track(json!([wrong, wrong, right]).to_string())
        .await;
    let refused = harness
        .post("/v2.1/track")
        .header("user-agent", "curl/8")
        .body("no json")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 400);
    let doctor = until(&harness, |doctor| {
        doctor["clients"].as_array().unwrap().len() == 2
    })
    .await;
    let clients: Vec<_> = doctor["clients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|client| {
            (
                client["name"].clone(),
                client["items"].clone(),
                client["refused"].clone(),
            )
        })
        .collect();
    assert_eq!(
        clients,
        [
            (json!("node:2.9.8"), json!(1), json!(2)),
            (json!("curl/8"), json!(0), json!(1)),
        ]
    );
    let findings = doctor["findings"].as_array().unwrap();
    let refusals: Vec<_> = findings
        .iter()
        .filter(|finding| finding["title"].as_str().unwrap().contains("items refused"))
        .map(|finding| (finding["client"].clone(), finding["items"].clone()))
        .collect();
    assert_eq!(
        refusals,
        [(json!("node:2.9.8"), json!(2)), (json!("curl/8"), json!(1))]
    );
}

/// The doctor's answer, once the expected refusals are stored.
async fn until(harness: &Harness, is_there: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..2_000 {
        let doctor = harness.json("/api/doctor").await;
        if is_there(&doctor) {
            return doctor;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came");
}
