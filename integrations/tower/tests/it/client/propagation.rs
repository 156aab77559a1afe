//! What other services are told, and who is excluded.

use super::*;

#[tokio::test]
async fn a_parent_is_the_parent() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let tracer = telemetry.tracers.tracer("app");
    let parent = Context::new().with_span(tracer.start("parent"));
    let client = telemetry.client().layer(hyper_client());
    let response = client
        .oneshot(request(Method::GET, format!("http://{address}/")))
        .with_context(parent.clone())
        .await
        .unwrap();
    body(response).await;
    parent.span().end();
    let spans = telemetry.spans(2).await;
    let (parent, child) = (named(&spans, "parent"), named(&spans, "GET"));
    assert_eq!(child.parent_span_id, parent.span_context.span_id());
}

#[tokio::test]
async fn excluded_hosts_are_sent_the_ids_of_the_caller() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let excluding = || telemetry.client().exclude_hosts(["127.0.0.1"]);
    let tracer = telemetry.tracers.tracer("app");
    let parent = Context::new().with_span(tracer.start("parent"));
    let id = parent.span().span_context().span_id().to_string();
    for (layer, is_told) in [
        (excluding(), true),
        (excluding().no_propagation_hosts(["127.0.0.1"]), false),
    ] {
        let response = layer
            .layer(hyper_client())
            .oneshot(request(Method::GET, format!("http://{address}/")))
            .with_context(parent.clone())
            .await
            .unwrap();
        assert_eq!(body(response).await.contains(&id), is_told);
    }
    assert!(telemetry.ended().is_empty());
    assert!(telemetry.points("http.client.request.duration").is_empty());
}

#[tokio::test]
async fn strangers_are_sent_no_ids() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let layer = telemetry
        .client()
        .no_propagation_hosts([address.to_string()]);
    let (span, received) = call(
        &telemetry,
        layer,
        request(Method::GET, format!("http://{address}/")),
    )
    .await;
    assert_eq!(received, "");
    assert_eq!(span.name, "GET");
}

#[tokio::test]
async fn nothing_happens_where_telemetry_is_suppressed() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let client = telemetry.client().layer(hyper_client());
    let response = client
        .oneshot(request(Method::GET, format!("http://{address}/")))
        .with_context(Context::new().with_telemetry_suppressed())
        .await
        .unwrap();
    assert_eq!(body(response).await, "");
    assert!(telemetry.ended().is_empty());
    assert!(telemetry.points("http.client.request.duration").is_empty());
    assert!(telemetry.points("http.client.active_requests").is_empty());
}

#[tokio::test]
async fn the_environment_excludes_hosts() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    for variable in ["AZMON_EXCLUDED_CLIENT_HOSTS", "AZMON_EXCLUDED_HOSTS"] {
        let layer = ClientLayer::with_environment(|name| {
            (name == variable).then(|| "127.0.0.1".to_owned())
        });
        let client = layer
            .tracer_provider(&telemetry.tracers)
            .layer(hyper_client());
        let response = client
            .oneshot(request(Method::GET, format!("http://{address}/")))
            .await
            .unwrap();
        body(response).await;
    }
    assert!(telemetry.ended().is_empty());
}

#[tokio::test]
async fn injection_overwrites_what_was_there() {
    let telemetry = Telemetry::new();
    let address = serve_back().await;
    let mut request = request(Method::GET, format!("http://{address}/"));
    let mut stale = HeaderMap::new();
    stale.append("traceparent", "one".parse().unwrap());
    stale.append("traceparent", "two".parse().unwrap());
    request.headers_mut().extend(stale);
    let (span, received) = call(&telemetry, telemetry.client(), request).await;
    assert!(
        received.contains(&span.span_context.span_id().to_string()),
        "{received}"
    );
    assert_eq!(names(&[span]), ["GET"]);
    assert_eq!(fixture::names(&telemetry.ended()).len(), 1);
}
