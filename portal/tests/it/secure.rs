//! HTTPS, tokens and origins.

use azmon_portal::Portal;
use reqwest::{Certificate, Client};

use crate::client::{Harness, event, json_of};

#[tokio::test]
async fn https_is_served_with_a_certificate_that_is_made_once() {
    let directory = std::env::temp_dir().join(format!("azmon-tls-{}", std::process::id()));
    let any = "127.0.0.1:0".parse().unwrap();
    let mut certificates = Vec::new();
    for _ in 0..2 {
        let portal = Portal::builder()
            .listen_tls(any, &directory)
            .bind(any)
            .await
            .unwrap();
        let pem = std::fs::read(portal.tls_certificate().unwrap()).unwrap();
        let (_, endpoint) = portal
            .connection_string_tls()
            .unwrap()
            .split_once("IngestionEndpoint=")
            .unwrap();
        let (endpoint, _) = endpoint.split_once(";LiveEndpoint=").unwrap();
        assert!(endpoint.starts_with("https://127.0.0.1:"));
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([Certificate::from_pem(&pem).unwrap()])
            .build()
            .unwrap();
        let request = client
            .post(format!("{endpoint}/v2.1/track"))
            .body(event("over TLS").to_string());
        assert_eq!(request.send().await.unwrap().status(), 200);
        assert_eq!(portal.items().len(), 1);
        let stranger = Client::builder().no_proxy().build().unwrap();
        assert!(
            stranger.get(endpoint).send().await.is_err(),
            "a client trusts it only with the file"
        );
        certificates.push(pem);
        portal.shutdown().await;
    }
    assert_eq!(certificates[0], certificates[1]);
    std::fs::remove_dir_all(directory).unwrap();
}

#[tokio::test]
async fn a_portal_with_a_token_is_read_with_it_only_and_written_without() {
    let harness = Harness::start_with(Portal::builder().token("secret")).await;
    harness.accept(&[event("a")]).await;
    for path in ["/api/items", "/api/events", "/"] {
        assert_eq!(
            harness.get(path).send().await.unwrap().status(),
            401,
            "{path}"
        );
        let wrong = harness
            .get(path)
            .bearer_auth("Secret")
            .send()
            .await
            .unwrap();
        assert_eq!(wrong.status(), 401, "{path}");
    }
    let body = json_of(harness.get("/api/items").send().await.unwrap()).await;
    assert_eq!(body["errorCode"], "Unauthorized");
    assert_eq!(
        harness
            .get("/api/items")
            .bearer_auth("secret")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    let first = harness.get("/api/items?token=secret").send().await.unwrap();
    assert_eq!(first.status(), 200);
    let cookie = first.headers()["set-cookie"].to_str().unwrap();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"),
        "{cookie}"
    );
    let pair = cookie.split(';').next().unwrap();
    let again = harness
        .get("/api/items")
        .header("cookie", format!("other=1; {pair}"));
    assert_eq!(again.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_portal_that_others_can_reach_makes_up_a_token() {
    let portal = Portal::builder()
        .bind("0.0.0.0:0".parse().unwrap())
        .await
        .unwrap();
    assert!(portal.token().is_some_and(|token| token.len() >= 32));
    let loopback = Portal::builder()
        .bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    assert!(loopback.token().is_none());
}

#[tokio::test]
async fn a_page_of_another_origin_can_neither_read_nor_delete() {
    let harness = Harness::start().await;
    harness.accept(&[event("a")]).await;
    for origin in [
        "http://evil.example",
        "http://localhost:1",
        "null",
        "file://",
    ] {
        let delete = harness
            .request("DELETE", "/api/data")
            .header("origin", origin);
        assert_eq!(delete.send().await.unwrap().status(), 403, "{origin}");
        let read = harness.get("/api/items").header("origin", origin);
        assert_eq!(read.send().await.unwrap().status(), 403, "{origin}");
    }
    let own = harness
        .request("DELETE", "/api/data")
        .header("origin", harness.portal.url());
    assert_eq!(own.send().await.unwrap().status(), 200);
}
