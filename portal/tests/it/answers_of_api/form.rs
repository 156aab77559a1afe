//! The form of responses and of errors.

use crate::answers_of_api::shop;
use crate::client::Harness;
use crate::story::operation;

#[tokio::test]
async fn every_answer_has_the_form_that_the_contract_gives_it() {
    let harness = shop().await;
    let problem = harness.json("/api/problems").await["problems"][0]["id"].clone();
    let request = harness.items("?kind=request").await[0]["id"].clone();
    let operation = operation(2);
    for path in [
        "/api/health".to_owned(),
        "/api/stats".to_owned(),
        "/api/connect".to_owned(),
        "/api/apps".to_owned(),
        "/api/overview".to_owned(),
        "/api/overview?vs=previous&from=-10m&buckets=20".to_owned(),
        "/api/items?q=order&from=-1h&role=shop&envelopes=true".to_owned(),
        format!("/api/items/{request}"),
        format!("/api/items/{request}/rank"),
        "/api/facets?q=order&field=merchant&field=role&f=role~is~shop".to_owned(),
        "/api/facets".to_owned(),
        "/api/facets?q=nothing".to_owned(),
        "/api/fields".to_owned(),
        "/api/transactions?success=false".to_owned(),
        "/api/transactions?prefer=complete&duration=10..&op=POST%20/orders".to_owned(),
        format!("/api/transactions/{operation}"),
        "/api/transactions/unknown".to_owned(),
        "/api/users?q=order".to_owned(),
        "/api/map?vs=previous".to_owned(),
        "/api/map/node?id=role:shop&vs=previous".to_owned(),
        "/api/map/node?id=dependency:postgresql|shop-db".to_owned(),
        "/api/map/edge?id=role:shop>role:payments".to_owned(),
        "/api/operations?vs=previous".to_owned(),
        "/api/operations?side=browser".to_owned(),
        "/api/dependencies".to_owned(),
        "/api/roles".to_owned(),
        "/api/calls?op=POST%20/orders&vs=previous".to_owned(),
        "/api/calls?target=shop-db".to_owned(),
        "/api/difference?op=POST%20/orders&success=false".to_owned(),
        "/api/breakdown?op=POST%20/orders".to_owned(),
        "/api/failures".to_owned(),
        "/api/failures?tab=dependencies&vs=previous".to_owned(),
        "/api/failures?tab=roles&code=502&dep=payments:80".to_owned(),
        "/api/problems?sort=users&side=all".to_owned(),
        format!("/api/problems/{problem}"),
        "/api/runs".to_owned(),
        "/api/metrics".to_owned(),
        "/api/metrics/series?name=cart.lines&split=merchant".to_owned(),
        "/api/metrics/series?name=requests/duration&aggregation=p95&split=role&vs=previous"
            .to_owned(),
        "/api/metrics/series?name=requests/count&aggregation=rate&split=merchant&top=1".to_owned(),
        "/api/doctor".to_owned(),
        "/api/saved/boards".to_owned(),
    ] {
        harness.json(&path).await;
    }
}

#[tokio::test]
async fn an_empty_portal_answers_everything() {
    let harness = Harness::start().await;
    for path in [
        "/api/stats",
        "/api/apps",
        "/api/overview",
        "/api/items",
        "/api/facets",
        "/api/fields",
        "/api/transactions",
        "/api/users",
        "/api/map",
        "/api/operations",
        "/api/dependencies",
        "/api/roles",
        "/api/calls",
        "/api/breakdown",
        "/api/failures",
        "/api/problems",
        "/api/runs",
        "/api/metrics",
        "/api/doctor",
        "/api/difference?success=false",
    ] {
        harness.json(path).await;
    }
}

#[tokio::test]
async fn an_invalid_query_is_400_and_names_the_fault() {
    let harness = Harness::start().await;
    for (path, word) in [
        ("/api/items?q=(", "character 2"),
        ("/api/items?f=a", "field~op~value"),
        ("/api/items?from=yesterday", "from"),
        ("/api/items?from=-1m&to=-2m", "not before"),
        ("/api/items?duration=1", "duration"),
        ("/api/items?wait=10m", "wait"),
        ("/api/operations?side=left", "side"),
        ("/api/metrics/series", "name"),
        (
            "/api/metrics/series?name=a&aggregation=median",
            "aggregation",
        ),
        ("/api/overview?colour=red", "colour"),
        ("/api/users?limit=1001", "1000"),
    ] {
        let response = harness.get(path).send().await.unwrap();
        assert_eq!(response.status(), 400, "{path}");
        let body = crate::client::json_of(response).await;
        assert!(
            body["message"].as_str().unwrap().contains(word),
            "{path}: {body}"
        );
    }
}
