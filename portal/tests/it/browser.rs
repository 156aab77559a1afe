//! The protection of telemetry from other web pages, and the access that lets them send.

use azmon_portal::Portal;
use serde_json::json;

use crate::client::{Harness, event, json_of};

#[tokio::test]
async fn a_page_of_any_origin_may_send() {
    let harness = Harness::start().await;
    let preflight = harness
        .request("OPTIONS", "/v2/track")
        .header("origin", "http://localhost:3000")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "content-type,sdk-context")
        .header("access-control-request-private-network", "true");
    let response = preflight.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(headers["access-control-allow-methods"], "POST");
    assert_eq!(
        headers["access-control-allow-headers"],
        "content-type,sdk-context"
    );
    assert_eq!(headers["access-control-allow-private-network"], "true");

    let request = harness
        .post("/v2/track")
        .header("origin", "http://localhost:3000");
    let response = request
        .body(json!([event("a")]).to_string())
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn a_page_of_another_origin_may_not_read() {
    let harness = Harness::start().await;
    for path in ["/", "/api/items", "/api/health"] {
        let request = harness.get(path).header("origin", "http://evil.example");
        let response = request.send().await.unwrap();
        assert!(
            !response
                .headers()
                .contains_key("access-control-allow-origin"),
            "{path}"
        );
        assert_eq!(
            response.headers()["cross-origin-resource-policy"],
            "same-origin"
        );
    }
}

#[tokio::test]
async fn a_name_that_was_rebound_cannot_read() {
    let harness = Harness::start_with(Portal::builder().allow_host("portal")).await;
    for path in ["/", "/api/items", "/api/health", "/transactions/1"] {
        for (host, status) in [
            ("evil.example:4320", 403),
            ("localhost:9", 200),
            ("portal:4320", 200),
        ] {
            let response = harness.get(path).header("host", host).send().await.unwrap();
            assert_eq!(response.status(), status, "{path} {host}");
        }
    }
    let response = harness
        .get("/")
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    let body = json_of(response).await;
    assert!(
        body["message"]
            .as_str()
            .unwrap()
            .contains("--allow-host evil.example"),
        "{body}"
    );
}

#[tokio::test]
async fn telemetry_is_taken_under_any_name() {
    let harness = Harness::start().await;
    let request = harness
        .post("/v2.1/track")
        .header("host", "portal.in.docker:4320");
    let response = request.body(event("a").to_string()).send().await.unwrap();
    assert_eq!(response.status(), 200);
}

#[tokio::test]
async fn every_page_forbids_scripts_of_others_and_frames() {
    let harness = Harness::start().await;
    harness.accept(&[event("a")]).await;
    for path in [
        "/",
        "/transactions/none",
        "/api/items",
        "/api/items/9",
        "/assets/none.js",
    ] {
        let response = harness.get(path).send().await.unwrap();
        let policy = response.headers()["content-security-policy"]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}");
        assert!(
            policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"),
            "{path}"
        );
        assert_eq!(
            response.headers()["x-content-type-options"],
            "nosniff",
            "{path}"
        );
        let caching = response.headers()["cache-control"].to_str().unwrap();
        assert!(
            ["no-store", "no-cache"].contains(&caching),
            "{path} {caching}"
        );
    }
}
