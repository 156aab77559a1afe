//! The API's responses for the telemetry of the story.

use serde_json::{Value, json};

use crate::client::Harness;
use crate::story::{Story, operation};

async fn shop() -> Harness {
    let harness = Harness::start().await;
    let story = Story::ago(30);
    harness.accept(&story.orders(8)).await;
    harness
        .accept(&[
            story.metric("shop", 0, "cart.lines", 3.0, "m-1"),
            story.metric("shop", 100, "cart.lines", 5.0, "m-2"),
        ])
        .await;
    harness
}

fn names(values: &Value, key: &str) -> Vec<String> {
    let values = values.as_array().unwrap().iter();
    values
        .map(|value| value[key].as_str().unwrap().to_owned())
        .collect()
}

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
async fn the_map_has_roles_and_what_sends_no_telemetry_of_its_own() {
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

#[tokio::test]
async fn a_transaction_has_every_item_under_its_parent() {
    let harness = shop().await;
    let transaction = harness
        .json(&format!("/api/transactions/{}", operation(2)))
        .await;
    assert_eq!(transaction["name"], "POST /orders");
    assert_eq!(
        (&transaction["success"], &transaction["resultCode"]),
        (&json!(false), &json!("502"))
    );
    let items = transaction["items"].as_array().unwrap();
    assert_eq!(items.len(), 6);
    let id = |name: &str| {
        items
            .iter()
            .find(|part| part["item"]["name"] == name)
            .unwrap()["item"]["id"]
            .clone()
    };
    let parent = |kind: &str, name: &str| {
        let found = items.iter().find(|part| {
            part["item"]["itemType"] == kind
                && part["item"]["name"].as_str().unwrap().contains(name)
        });
        found.unwrap()["parent"].clone()
    };
    let call = items
        .iter()
        .find(|part| part["item"]["target"] == "payments:80")
        .unwrap()["item"]["id"]
        .clone();
    assert_eq!(parent("request", "POST /orders"), Value::Null);
    assert_eq!(parent("dependency", "SELECT"), id("POST /orders"));
    assert_eq!(parent("request", "POST /charge"), call);
    assert_eq!(parent("trace", "placed"), id("POST /orders"));
    assert!(items.iter().all(|part| part["isOrphan"] == false));
    let frames = &items
        .iter()
        .find(|part| part["item"]["itemType"] == "exception")
        .unwrap()["causes"][0]["frames"];
    assert_eq!(
        (&frames[0]["isOwn"], &frames[1]["isOwn"]),
        (&json!(false), &json!(true))
    );
}

#[tokio::test]
async fn transactions_are_found_by_what_is_in_them() {
    let harness = shop().await;
    for (query, count) in [
        ("", 8),
        ("?success=false", 2),
        ("?kind=exception", 2),
        ("?q=declined", 2),
        ("?target=shop-db", 8),
        ("?op=POST%20/orders&duration=..50", 0),
        ("?limit=3", 3),
    ] {
        let found = harness.json(&format!("/api/transactions{query}")).await;
        assert_eq!(
            found["transactions"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    let found = harness
        .json("/api/transactions?kind=exception&limit=1")
        .await;
    let row = &found["transactions"][0];
    assert_eq!(row["roles"], json!(["shop", "payments"]));
    assert_eq!(
        (&row["spans"], &row["exceptions"], &row["isComplete"]),
        (&json!(4), &json!(1), &json!(true))
    );
}

#[tokio::test]
async fn facets_count_what_matches_the_other_filters() {
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
async fn what_is_different_in_failed_calls_is_told() {
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

#[tokio::test]
async fn a_question_waits_for_what_is_on_its_way() {
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
async fn deleted_data_is_gone_and_ids_go_on() {
    let harness = shop().await;
    let newest = harness.json("/api/stats").await["newestId"]
        .as_u64()
        .unwrap();
    harness.json("/api/map").await;
    let response = harness
        .request("PUT", "/api/saved/boards/mine")
        .body("{\"a\":1}")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let response = harness.request("DELETE", "/api/data").send().await.unwrap();
    let deleted = crate::client::json_of(response).await;
    assert_eq!(deleted["items"], newest);
    assert!(harness.items("").await.is_empty());
    assert!(
        harness.json("/api/map").await["nodes"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    assert!(harness.json("/api/facets?q=order").await["total"] == 0);
    assert_eq!(
        harness.json("/api/saved/boards").await["saved"][0]["value"],
        json!({"a": 1})
    );
    harness.accept(&[crate::client::event("new")]).await;
    assert_eq!(
        harness.items("").await[0]["id"].as_u64().unwrap(),
        newest + 1
    );
}

#[tokio::test]
async fn one_application_can_be_deleted_alone() {
    let harness = shop().await;
    harness.accept(&[crate::client::event("other")]).await;
    let response = harness
        .request("DELETE", "/api/data?app=shop-key")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(names(&json!(harness.items("").await), "name"), ["other"]);
    assert_eq!(
        names(&harness.json("/api/apps").await["apps"], "iKey"),
        ["k"]
    );
}

#[tokio::test]
async fn a_new_version_is_a_run_that_is_compared_with_the_one_before() {
    let harness = Harness::start().await;
    harness.accept(&Story::ago(120).orders(4)).await;
    let story = Story::ago(60);
    let mut items = Vec::new();
    for mut item in story.orders(8) {
        item["tags"]["ai.application.ver"] = json!("1.1");
        items.push(item);
    }
    harness.accept(&items).await;
    let runs = harness.json("/api/runs").await;
    let numbers: Vec<_> = runs["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(
        (&runs["runs"][0]["version"], &runs["runs"][0]["reason"]),
        (&json!("1.1"), &json!("version"))
    );
    let compare = harness.json("/api/compare").await;
    let row = compare["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "operation" && row["role"] == "shop")
        .unwrap();
    assert_eq!(
        (&row["a"]["count"], &row["b"]["count"]),
        (&json!(8), &json!(4))
    );
    let response = harness
        .request("POST", "/api/runs?app=shop-key")
        .send()
        .await
        .unwrap();
    assert_eq!(crate::client::json_of(response).await["number"], 3);
}

#[tokio::test]
async fn the_doctor_tells_what_azure_would_draw_wrongly() {
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

#[tokio::test]
async fn a_wrong_question_is_400_and_says_what_is_wrong() {
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
