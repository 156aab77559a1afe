//! The form of the query API: answers, errors, schema, batches and metadata.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::query::{portal, post};

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
    assert_eq!(
        answer["statistics"]["query"]["inputDatasetStatistics"],
        json!({"rows": {"scanned": 2}})
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
    crate::contract::check("post", "/api/query/check", &body);
    let (status_well, well) = post(
        &portal,
        "/api/query/check",
        json!({"query": "requests | count"}),
    )
    .await;
    crate::contract::check("post", "/api/query/check", &well);
    assert_eq!(
        (status_well, well),
        (
            StatusCode::OK,
            json!({"error": null, "columns": [{"name": "Count", "type": "long"}]})
        )
    );
    let (status_none, none) = post(&portal, "/api/query/check", json!({"text": 1})).await;
    assert_eq!(status_none, StatusCode::BAD_REQUEST, "{none}");
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
    crate::contract::check("get", "/api/query/schema", &schema);
    assert_eq!(schema["tables"].as_array().map(Vec::len), Some(10));
    let column = &schema["tables"][0]["columns"][0];
    assert_eq!(
        (&column["name"], &column["alias"], &column["type"]),
        (
            &Value::from("timestamp"),
            &Value::from("TimeGenerated"),
            &Value::from("datetime")
        )
    );
    assert!(
        schema["words"]
            .as_array()
            .is_some_and(|words| words.len() > 200)
    );
}

#[tokio::test]
async fn a_batch_is_answered_query_by_query() {
    let portal = portal().await;
    let part = |id: &str, query: &str| {
        json!({"id": id, "headers": {"Content-Type": "application/json", "Prefer": "include-render=true"},
            "body": {"query": query}, "method": "POST", "path": "/query", "workspace": "key-1"})
    };
    let mut elsewhere = part("3", "requests");
    elsewhere["path"] = json!("/metadata");
    let body = json!({"requests": [part("1", "requests | count | render table"), part("2", "nonsense"), elsewhere]});
    for path in ["/v1/$batch", "/v1/%24batch"] {
        let (status, answer) = post(&portal, path, body.clone()).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let responses = answer["responses"].as_array().unwrap();
        let seen: Vec<_> = responses
            .iter()
            .map(|response| (&response["id"], &response["status"]))
            .collect();
        assert_eq!(
            seen,
            [
                (&json!("1"), &json!(200)),
                (&json!("2"), &json!(400)),
                (&json!("3"), &json!(404))
            ]
        );
        assert_eq!(responses[0]["body"]["tables"][0]["rows"], json!([[3]]));
        assert_eq!(responses[0]["body"]["render"]["visualization"], "table");
        assert_eq!(
            responses[1]["body"]["error"]["innererror"]["innererror"]["token"],
            "nonsense"
        );
        assert_eq!(responses[2]["body"]["error"]["code"], "PathNotFoundError");
    }
    let too_many = json!({"requests": vec![part("1", "print 1"); 101]});
    for wrong in [json!([]), json!({"requests": [{}]}), too_many] {
        let (status, answer) = post(&portal, "/v1/$batch", wrong).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
    }
}

#[tokio::test]
async fn metadata_tells_the_tables_under_the_names_of_the_scope() {
    let portal = portal().await;
    for (scope, of, table, time, column) in [
        (
            "apps",
            "applications",
            "requests",
            "timestamp",
            "customDimensions",
        ),
        (
            "workspaces",
            "workspaces",
            "AppRequests",
            "TimeGenerated",
            "Properties",
        ),
    ] {
        let url = format!("{}/v1/{scope}/any/metadata", portal.portal().url());
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let metadata: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(metadata[of][0]["id"], "any");
        let tables = metadata["tables"].as_array().unwrap();
        assert_eq!(tables.len(), 10);
        let requests = tables.iter().find(|found| found["name"] == table).unwrap();
        assert_eq!(requests["timespanColumn"], time);
        let columns = requests["columns"].as_array().unwrap();
        assert!(
            columns.contains(&json!({"name": column, "type": "dynamic"})),
            "{columns:?}"
        );
        assert_eq!(columns[0], json!({"name": time, "type": "datetime"}));
    }
}

/// A query holds the store as long as it runs; the next portal on the directory opens when it is let go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_ends_when_its_client_hangs_up() {
    let directory = std::env::temp_dir().join(format!("azmon-hang-up-{}", std::process::id()));
    let builder = || azmon_portal::Portal::builder().data_directory(&directory);
    let any = "127.0.0.1:0".parse().unwrap();
    let portal = builder().bind(any).await.unwrap();
    // Without an end it takes minutes: each row is a text that is made and searched.
    let query = "range x from 1 to 5000000 step 1 | where strrep(tostring(x), 40) matches regex 'a+b' | count";
    let asked = reqwest::Client::builder()
        .no_proxy()
        .build()
        .unwrap()
        .post(format!("{}/v1/apps/a/query", portal.url()))
        .header("content-type", "application/json")
        .header("prefer", "wait=600")
        .body(json!({"query": query}).to_string());
    let asking = tokio::spawn(asked.send());
    // It runs when a second question is answered, which was sent later on a connection of its own.
    let health = reqwest::get(format!("{}/api/health", portal.url())).await;
    assert_eq!(health.unwrap().status(), StatusCode::OK);
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled(), "it was answered");
    portal.shutdown().await;
    let next = builder().bind(any).await.unwrap();
    next.shutdown().await;
    std::fs::remove_dir_all(&directory).unwrap();
}
