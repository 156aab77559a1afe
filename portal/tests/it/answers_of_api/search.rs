//! Searches as queries.

use serde_json::json;

use crate::answers_of_api::shop;
use crate::client::{Harness, json_of};

/// The number of rows that the query of a search has.
async fn rows(harness: &Harness, search: &str) -> (String, usize) {
    let answer = harness.json(&format!("/api/query/search?{search}")).await;
    let query = answer["query"].as_str().unwrap().to_owned();
    let body = json!({"query": query}).to_string();
    let response = harness
        .post("/v1/apps/shop-key/query")
        .header("content-type", "application/json")
        .body(body)
        .send()
        .await
        .unwrap();
    let answer = json_of(response).await;
    let rows = answer["tables"][0]["rows"].as_array();
    let count = rows.unwrap_or_else(|| panic!("{query}: {answer}")).len();
    (query, count)
}

#[tokio::test]
async fn the_query_of_a_search_finds_what_the_search_finds() {
    let harness = shop().await;
    let problem = harness.json("/api/problems").await["problems"][0]["id"].clone();
    for (search, expected) in [
        ("".to_owned(), 44),
        ("kind=request".to_owned(), 16),
        ("kind=request&kind=exception".to_owned(), 18),
        ("role=payments&kind=request".to_owned(), 8),
        ("op=POST%20/orders".to_owned(), 8),
        ("target=shop-db".to_owned(), 8),
        ("type=HTTP".to_owned(), 8),
        ("duration=60..100".to_owned(), 16),
        (format!("problem={problem}"), 2),
        ("q=declined".to_owned(), 2),
        ("q=decl*".to_owned(), 2),
        ("q=%22card%20declined%22".to_owned(), 2),
        ("q=placed%20OR%20declined".to_owned(), 10),
        ("q=order%20NOT%20placed".to_owned(), 0),
        ("q=(placed%20OR%20declined)%20AND%20role:shop".to_owned(), 8),
        ("q=-resultCode:200%20itemType:request".to_owned(), 4),
        ("f=role~is~SHOP&kind=request".to_owned(), 8),
        ("f=name~not~POST%20/orders&kind=request".to_owned(), 8),
        ("f=resultCode~is~502&kind=request".to_owned(), 4),
        ("f=success~is~false".to_owned(), 6),
        ("f=success~is~0".to_owned(), 6),
        ("f=severity~is~Error".to_owned(), 2),
        ("f=severity~ge~2".to_owned(), 10),
        ("f=duration~gt~60ms&kind=dependency".to_owned(), 8),
        ("f=merchant~is~m-1&kind=request".to_owned(), 4),
        ("f=merchant~not~m-1&kind=request".to_owned(), 12),
        ("f=lines~ge~10".to_owned(), 8),
        ("f=lines~lt~10".to_owned(), 8),
        ("f=lines~le~6".to_owned(), 8),
        ("f=lines~not~10&kind=request".to_owned(), 8),
        ("f=duration~lt~70&kind=request".to_owned(), 8),
        ("f=name~gt~POST%20/d&kind=request".to_owned(), 8),
        ("f=merchant~is~&kind=request".to_owned(), 0),
        ("f=merchant~not~&kind=request".to_owned(), 16),
        ("f=other~not~&kind=request".to_owned(), 0),
        ("q=merchant:m-*%20itemType:request".to_owned(), 16),
        ("f=version~is~1.0".to_owned(), 44),
        ("f=instance~is~shop-1".to_owned(), 34),
        ("f=session~is~none".to_owned(), 0),
        (format!("f=user~is~user-{}", crate::story::operation(2)), 6),
        ("f=url~has~/orders".to_owned(), 16),
        ("f=message~has~declined".to_owned(), 2),
        (
            "f=problemId~is~CardError%20at%20payments::charge&kind=request".to_owned(),
            0,
        ),
        ("f=target~is~&kind=dependency".to_owned(), 0),
        ("f=name~has~%22%5C&kind=request".to_owned(), 0),
        (
            format!("f=operation_Id~is~{}", crate::story::operation(2)),
            6,
        ),
    ] {
        let items = harness.items(&format!("?{search}&limit=1000")).await;
        let (query, count) = rows(&harness, &search).await;
        assert_eq!(
            (items.len(), count),
            (expected, expected),
            "{search}\n{query}"
        );
    }
}

#[tokio::test]
async fn the_query_of_a_search_reads_as_it_would_be_written() {
    let harness = shop().await;
    let search = "kind=request&kind=trace&role=shop&q=charge*%20OR%20%22card%20declined%22&f=name~not~GET%20%22x%22&f=cart.lines~gt~3&duration=1.5..";
    let (query, _) = rows(&harness, search).await;
    assert_eq!(
        query,
        r#"union requests, traces
| where cloud_RoleName in ("shop")
| where duration >= 1.5
| search ("charge*" or ("card" and "declined"))
| where name !~ "GET \"x\""
| where todouble(coalesce(tostring(customDimensions["cart.lines"]), tostring(customMeasurements["cart.lines"]))) > 3
| order by timestamp desc"#
    );
}

/// Long names are cut in the series, so those problems are computed from the items.
#[tokio::test]
async fn exceptions_have_the_problem_that_groups_them_in_queries_too() {
    let harness = shop().await;
    let method = "payments::".to_owned() + &"a".repeat(80);
    let mut long = crate::story::Story::ago(5).exception("payments", 0, ("1", "1"));
    long["data"]["baseData"]["exceptions"][0]["parsedStack"][1]["method"] = json!(method);
    harness.accept(&[long]).await;
    for id in [
        "CardError at payments::charge",
        &format!("CardError at {method}"),
    ] {
        let query = format!("exceptions | where problemId == \"{id}\" | distinct problemId");
        let response = harness
            .post("/v1/apps/shop-key/query")
            .header("content-type", "application/json")
            .body(json!({"query": query}).to_string())
            .send()
            .await
            .unwrap();
        assert_eq!(json_of(response).await["tables"][0]["rows"], json!([[id]]));
    }
}
