//! The query API, from the view of the service's clients.

use azmon_portal::testing::TestPortal;
use reqwest::StatusCode;
use serde_json::{Value, json};

fn request(second: u32, name: &str, success: bool, operation: &str) -> Value {
    json!({
        "name": "Request", "time": format!("2026-11-20T12:00:{second:02}.123456Z"), "iKey": "key-1",
        "tags": {"ai.operation.id": operation, "ai.cloud.role": "shop"},
        "data": {"baseType": "RequestData", "baseData": {
            "ver": 2, "id": format!("id{second}"), "name": name, "duration": format!("00:00:00.{:03}", second * 10),
            "success": success, "responseCode": if success { "200" } else { "500" },
            "properties": {"tenant": format!("t{}", second % 2)},
        }},
    })
}

async fn portal() -> TestPortal {
    let portal = TestPortal::start().await;
    portal
        .send(json!([
            request(1, "GET /a", true, "op1"),
            request(2, "GET /a", false, "op2"),
            request(3, "GET /b", true, "op2"),
            {
                "name": "Message", "time": "2026-11-20T12:00:09Z", "iKey": "key-2",
                "data": {"baseType": "MessageData", "baseData": {"ver": 2, "message": "slow checkout", "severityLevel": "Warning"}},
            },
        ]))
        .await;
    portal
}

async fn post(portal: &TestPortal, path: &str, body: Value) -> (StatusCode, Value) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let response = client
        .post(format!("{}{path}", portal.portal().url()))
        .header("content-type", "application/json")
        .header(
            "prefer",
            "wait=30, include-statistics=true, include-render=true",
        )
        .body(body.to_string())
        .send()
        .await
        .expect("an answer");
    let status = response.status();
    let text = response.text().await.expect("a body");
    (status, serde_json::from_str(&text).expect("JSON"))
}

async fn rows(portal: &TestPortal, query: &str) -> Value {
    let (status, body) = post(
        portal,
        "/v1/workspaces/any/query",
        json!({"query": query, "workspaces": null}),
    )
    .await;
    assert_eq!(status, StatusCode::OK, "{query}: {body}");
    body["tables"][0]["rows"].clone()
}

#[tokio::test]
async fn requests_are_found_by_every_kind_of_condition() {
    let portal = portal().await;
    assert_eq!(
        rows(
            &portal,
            "requests | summarize count(), max(duration) by name | order by name asc"
        )
        .await,
        json!([["GET /a", 2, 20.0], ["GET /b", 1, 30.0]])
    );
    assert_eq!(
        rows(
            &portal,
            "requests | where success == false | project name, resultCode, cloud_RoleName"
        )
        .await,
        json!([["GET /a", "500", "shop"]])
    );
    assert_eq!(
        rows(&portal, "requests | where operation_Id == 'op2' | count").await,
        json!([[2]])
    );
    assert_eq!(
        rows(
            &portal,
            "requests | where customDimensions.tenant == 't0' | project id, customDimensions"
        )
        .await,
        json!([["id2", "{\"tenant\":\"t0\"}"]])
    );
    assert_eq!(
        rows(
            &portal,
            "requests | where timestamp > datetime(2026-11-20T12:00:01.123456Z) | count"
        )
        .await,
        json!([[2]])
    );
    assert_eq!(
        rows(
            &portal,
            "requests | where timestamp <= datetime(2026-11-20T12:00:01.123456Z) | count"
        )
        .await,
        json!([[1]])
    );
    assert_eq!(
        rows(
            &portal,
            "requests | top 1 by timestamp desc | project timestamp, name"
        )
        .await,
        json!([["2026-11-20T12:00:03.123456Z", "GET /b"]])
    );
    assert_eq!(
        rows(&portal, "AppTraces | project Message, SeverityLevel").await,
        json!([["slow checkout", 2]])
    );
    assert_eq!(
        rows(&portal, "search 'checkout' | project $table, message").await,
        json!([["traces", "slow checkout"]])
    );
    assert_eq!(
        rows(
            &portal,
            "union * | summarize count() by itemType | order by itemType asc"
        )
        .await,
        json!([["request", 3], ["trace", 1]])
    );
}

#[tokio::test]
async fn an_application_is_named_by_its_key() {
    let portal = portal().await;
    let count = async |id: &str| {
        let (_, body) = post(
            &portal,
            &format!("/v1/apps/{id}/query"),
            json!({"query": "requests | count"}),
        )
        .await;
        body["tables"][0]["rows"][0][0].clone()
    };
    assert_eq!(
        (
            count("key-1").await,
            count("key-2").await,
            count("other").await
        ),
        (json!(3), json!(0), json!(3))
    );
    assert_eq!(
        rows(&portal, "app('key-2').traces | count").await,
        json!([[1]])
    );
}

#[tokio::test]
async fn answers_have_the_service_s_form() {
    let portal = portal().await;
    let path =
        "/v1/subscriptions/s/resourceGroups/g/providers/microsoft.insights/components/c/query";
    let query = "requests | where timestamp > datetime(2026-11-20) | summarize count() by bin(timestamp, 1m) | render timechart";
    let body = json!({"query": query, "timespan": "2026-11-20T12:00:02Z/PT3600.0S"});
    let (status, answer) = post(&portal, path, body).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["tables"][0]["name"], "PrimaryResult");
    assert_eq!(
        answer["tables"][0]["columns"],
        json!([{"name": "timestamp", "type": "datetime"}, {"name": "count_", "type": "long"}])
    );
    assert_eq!(
        answer["tables"][0]["rows"],
        json!([["2026-11-20T12:00:00Z", 2]])
    );
    assert_eq!(answer["render"]["visualization"], "timechart");
    assert!(
        answer["statistics"]["query"]["executionTime"].is_number(),
        "{answer}"
    );
}

#[tokio::test]
async fn a_refusal_has_its_place_in_the_query() {
    let portal = portal().await;
    let (status, body) = post(
        &portal,
        "/v1/apps/a/query",
        json!({"query": "requests\n| where durtion > 1"}),
    )
    .await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (StatusCode::BAD_REQUEST, Some("BadArgumentError"))
    );
    let innermost = &body["error"]["innererror"]["innererror"];
    assert_eq!(
        (
            innermost["line"].as_i64(),
            innermost["pos"].as_i64(),
            innermost["token"].as_str()
        ),
        (Some(2), Some(9), Some("durtion"))
    );
    for body in [
        json!({}),
        json!({"query": " "}),
        json!({"query": "print 1", "timespan": "soon"}),
        json!([1]),
    ] {
        let (status, answer) = post(&portal, "/v1/apps/a/query", body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    }
    let (status, _) = post(
        &portal,
        "/v1/subscriptions/s/nothing",
        json!({"query": "print 1"}),
    )
    .await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_answer_that_is_cut_says_so() {
    let portal = portal().await;
    let (status, body) = post(
        &portal,
        "/v1/apps/a/query",
        json!({"query": "range x from 1 to 600000 step 1"}),
    )
    .await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (StatusCode::OK, Some("PartialError"))
    );
    assert_eq!(
        body["tables"][0]["rows"].as_array().map(Vec::len),
        Some(500_000)
    );
}

#[tokio::test]
async fn an_editor_gets_schema_and_errors() {
    let portal = portal().await;
    let (status, body) = post(
        &portal,
        "/api/query/check",
        json!({"query": "requests | where nam == 'x'"}),
    )
    .await;
    assert_eq!(
        (
            status,
            body["error"]["suggestion"].as_str(),
            body["error"]["offset"].as_i64()
        ),
        (StatusCode::OK, Some("name"), Some(17))
    );
    let url = format!("{}/api/query/schema", portal.portal().url());
    let text = reqwest::get(url)
        .await
        .expect("an answer")
        .text()
        .await
        .expect("a body");
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(schema["tables"].as_array().map(Vec::len), Some(10));
    assert!(
        schema["words"]
            .as_array()
            .is_some_and(|words| words.len() > 200)
    );
}
