//! The embedded pages, or the answer in their place.

use crate::client::{Harness, event, json_of};

/// A program that was compiled before the pages were built has no pages.
const NOT_BUILT: &str = "cargo xtask pages";

#[tokio::test]
async fn every_page_is_the_same_document() {
    let harness = Harness::start().await;
    let start = harness.page("/").await;
    assert!(
        start.contains("<div id=\"app\">") || start.contains(NOT_BUILT),
        "{start}"
    );
    for path in [
        "/map",
        "/transactions",
        "/transactions/0af76519",
        "/failures?tab=operations",
        "/start",
    ] {
        assert_eq!(harness.page(path).await, start, "{path}");
    }
}

#[tokio::test]
async fn the_document_holds_no_telemetry() {
    let harness = Harness::start().await;
    let before = harness.page("/").await;
    harness.accept(&[event("<script>alert(1)</script>")]).await;
    assert_eq!(harness.page("/").await, before);
}

#[tokio::test]
async fn a_document_is_asked_for_again_and_its_files_are_not() {
    let harness = Harness::start().await;
    let response = harness.get("/").send().await.unwrap();
    let built = response.headers().contains_key("etag");
    let caching = response.headers()["cache-control"]
        .to_str()
        .unwrap()
        .to_owned();
    let page = response.text().await.unwrap();
    if !built {
        assert!(page.contains(NOT_BUILT), "{page}");
        assert_eq!(caching, "no-store");
        return;
    }
    assert_eq!(caching, "no-cache");
    let scripts: Vec<_> = page
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
        .collect();
    assert!(!scripts.is_empty(), "{page}");
    for script in scripts {
        let response = harness.get(script).send().await.unwrap();
        assert_eq!(response.status(), 200, "{script}");
        assert!(
            response.headers()["cache-control"]
                .to_str()
                .unwrap()
                .contains("immutable"),
            "{script}"
        );
    }
}

#[tokio::test]
async fn nothing_in_the_document_is_inline_or_from_elsewhere() {
    let harness = Harness::start().await;
    let page = harness.page("/").await;
    for part in page.split("<script").skip(1) {
        assert!(
            part.split('>').next().unwrap().contains("src=\"/"),
            "{part}"
        );
    }
    for forbidden in ["<style", " style=", "http://", "https://", "onload="] {
        assert!(
            !page.contains(forbidden) || page.contains(NOT_BUILT),
            "{forbidden}"
        );
    }
}

#[tokio::test]
async fn a_missing_file_is_reported_as_json() {
    let harness = Harness::start().await;
    for path in [
        "/assets/none.js",
        "/assets/..%2f..%2fCargo.toml",
        "/nowhere",
    ] {
        let response = harness.get(path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(json_of(response).await["errorCode"], "NotFound", "{path}");
    }
}
