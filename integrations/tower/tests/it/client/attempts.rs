//! Retries and redirects.

use super::*;

/// Retries up to the third attempt.
#[derive(Clone)]
struct Twice(u32);

impl<B, E> tower::retry::Policy<http::Request<Body>, Response<B>, E> for Twice {
    type Future = std::future::Ready<()>;

    fn retry(
        &mut self,
        _: &mut http::Request<Body>,
        result: &mut Result<Response<B>, E>,
    ) -> Option<Self::Future> {
        let is_bad = result
            .as_ref()
            .is_ok_and(|response| response.status() == 502);
        (is_bad && self.0 > 0).then(|| {
            self.0 -= 1;
            std::future::ready(())
        })
    }

    fn clone_request(&mut self, request: &http::Request<Body>) -> Option<http::Request<Body>> {
        let mut clone = http::Request::new(Body::empty());
        *clone.uri_mut() = request.uri().clone();
        *clone.extensions_mut() = request.extensions().clone();
        Some(clone)
    }
}

#[tokio::test]
async fn attempts_are_counted_across_retries() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let client = ServiceBuilder::new()
        .layer(ResendLayer::new())
        .retry(Twice(2))
        .layer(telemetry.client())
        .service(hyper_client());
    let url = format!("http://{address}/broken");
    let response = client.oneshot(request(Method::GET, url)).await.unwrap();
    body(response).await;
    let mut counts: Vec<_> = telemetry
        .spans(3)
        .await
        .iter()
        .map(|span| number(span, "http.request.resend_count"))
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, [None, Some(1), Some(2)]);
}

#[tokio::test]
async fn attempts_are_counted_across_redirects() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let client = ServiceBuilder::new()
        .layer(ResendLayer::new())
        .layer(tower_http::follow_redirect::FollowRedirectLayer::new())
        .layer(telemetry.client())
        .service(hyper_client());
    let url = format!("http://{address}/from");
    let response = client.oneshot(request(Method::GET, url)).await.unwrap();
    body(response).await;
    let spans = telemetry.spans(2).await;
    let to = spans
        .iter()
        .find(|span| text(span, "url.full").unwrap().ends_with("/to"))
        .unwrap();
    assert_eq!(number(to, "http.request.resend_count"), Some(1));
}
