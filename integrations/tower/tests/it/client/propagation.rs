//! The headers sent to other services, and excluded hosts.

use super::*;

#[tokio::test]
async fn a_parent_is_the_parent() {
    let telemetry = TestTelemetry::new();
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
async fn a_call_that_is_not_sampled_begins_a_trace_that_is_not() {
    let telemetry = TestTelemetry::sampled(Sampler::AlwaysOff);
    let address = serve_back().await;
    for layer in [telemetry.client(), telemetry.client().metrics(false)] {
        let response = layer
            .layer(hyper_client())
            .oneshot(request(Method::GET, format!("http://{address}/")))
            .await
            .unwrap();
        let received = body(response).await;
        assert!(received.contains("-02"), "{received}");
    }
    assert!(telemetry.ended().is_empty());
}

#[tokio::test]
async fn excluded_hosts_are_sent_the_ids_of_the_caller() {
    let telemetry = TestTelemetry::new();
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
    let telemetry = TestTelemetry::new();
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
    let telemetry = TestTelemetry::new();
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
    let telemetry = TestTelemetry::new();
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
    let telemetry = TestTelemetry::new();
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

#[tokio::test]
async fn ids_that_a_request_has_already_are_removed_where_none_are_sent() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    for layer in [
        telemetry.client().no_propagation_hosts(["127.0.0.1"]),
        telemetry.client().propagate_only_to(["*.internal"]),
        telemetry
            .client()
            .exclude_hosts(["127.0.0.1"])
            .propagate_only_to(["*.internal"]),
    ] {
        let mut request = request(Method::GET, format!("http://{address}/"));
        let caller = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        request
            .headers_mut()
            .insert("traceparent", caller.parse().unwrap());
        let response = layer.layer(hyper_client()).oneshot(request).await.unwrap();
        assert_eq!(body(response).await, "");
    }
    let told = telemetry.client().propagate_only_to(["127.0.0.1"]);
    let request = request(Method::GET, format!("http://{address}/"));
    let response = told.layer(hyper_client()).oneshot(request).await.unwrap();
    assert_ne!(body(response).await, "");
}

#[tokio::test]
async fn each_host_of_a_redirect_is_told_or_not_by_itself() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let port = address.port();
    let away = format!("http://localhost:{port}/to");
    let router = Router::new().route("/", get(move || async move { Redirect::temporary(&away) }));
    let first = serve(router).await;
    let layer = telemetry
        .client()
        .no_propagation_hosts([format!("localhost:{port}")]);
    let client = ServiceBuilder::new()
        .layer(tower_http::follow_redirect::FollowRedirectLayer::new())
        .layer(layer)
        .service(hyper_client());
    let request = request(Method::GET, format!("http://{first}/"));
    let response = client.oneshot(request).await.unwrap();
    assert_eq!(body(response).await, "");
    telemetry.spans(2).await;
}

#[tokio::test]
async fn templates_of_a_whole_client_name_its_spans() {
    let telemetry = TestTelemetry::new();
    let address = serve_back().await;
    let layer = telemetry.client().url_templates(["/users/{id}"]);
    let url = format!("http://{address}/users/7?x=1");
    let (span, _) = call(&telemetry, layer, request(Method::GET, url)).await;
    assert_eq!(span.name, "GET /users/{id}");
    assert_eq!(text(&span, "url.template").unwrap(), "/users/{id}");
}
