//! Queries of the portal's items, by the query API.

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

/// Three requests and a trace of another application.
pub(crate) fn some_requests() -> Value {
    json!([
        request(1, "GET /a", true, "op1"),
        request(2, "GET /a", false, "op2"),
        request(3, "GET /b", true, "op2"),
        {
            "name": "Message", "time": "2026-11-20T12:00:09Z", "iKey": "key-2",
            "data": {"baseType": "MessageData", "baseData": {"ver": 2, "message": "slow checkout", "severityLevel": "Warning"}},
        },
    ])
}

pub(crate) async fn portal() -> TestPortal {
    let portal = TestPortal::start().await;
    portal.send(some_requests()).await;
    portal
}

pub(crate) async fn post(portal: &TestPortal, path: &str, body: Value) -> (StatusCode, Value) {
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

/// No name, path or text of a query reaches a file, another table of the database, or the network.
#[tokio::test]
async fn no_query_reads_anything_but_its_tables() {
    let portal = portal().await;
    for query in [
        "items",
        "envelopes",
        "series",
        "saved",
        "sqlite_schema",
        "sqlite_master | take 1",
        "main.items",
        "['items']",
        "[@'../../etc/passwd']",
        "externaldata(x: string) [@'file:///etc/passwd']",
        "externaldata(x: string) [@'http://127.0.0.1:1/']",
        "evaluate http_request('http://127.0.0.1:1/')",
        "evaluate sql_request('x', 'select 1')",
        "evaluate python(typeof(*), 'open(\"/etc/passwd\")')",
        "cluster('help').database('Samples').StormEvents",
        "database('x').requests",
        ".show tables",
        ".drop table requests",
        "requests; drop table items",
        "app('other').requests",
        "workspace('other').AppRequests",
        "table('items')",
        "external_table('x')",
        "load_extension('x')",
        "union withsource=t items*, sqlite*",
    ] {
        let (status, answer) = post(&portal, "/v1/apps/a/query", json!({"query": query})).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{query}: {answer}");
    }
    // Text remains text: SQL in a value finds nothing and changes nothing.
    for text in [
        "' OR 1=1 --",
        "x'; DROP TABLE items; --",
        "\u{1}",
        "%",
        "\\",
        "MATCH \"*\"",
    ] {
        for column in [
            "operation_Id",
            "name",
            "itemId",
            "cloud_RoleName",
            "resultCode",
        ] {
            let quoted = text.replace('\\', "\\\\").replace('\'', "\\'");
            for operator in ["==", "has", "contains", "in"] {
                let value = match operator {
                    "in" => format!("('{quoted}')"),
                    _ => format!("'{quoted}'"),
                };
                let query = format!("requests | where {column} {operator} {value} | count");
                assert_eq!(rows(&portal, &query).await, json!([[0]]), "{query}");
            }
        }
    }
    let known = rows(
        &portal,
        "union * | summarize count() by itemType | order by itemType asc",
    )
    .await;
    assert_eq!(known, json!([["request", 3], ["trace", 1]]));
    // A query of one application does not see the other, whatever it names.
    let (_, answer) = post(
        &portal,
        "/v1/apps/key-2/query",
        json!({"query": "union * | summarize count() by iKey"}),
    )
    .await;
    assert_eq!(answer["tables"][0]["rows"], json!([["key-2", 1]]));
}
