//! Items between an input and a destination: rules, sampling, routes.

use azmon::envelope::Data;
use azmon_forwarder::Forwarder;
use azmon_forwarder::config::Destination;

use crate::endpoint::Endpoint;
use crate::forwarder::{client, config, is_request, message, span, text};
use crate::support::{name, named, property};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn items_are_excluded_redacted_counted_and_sent() {
    let endpoint = Endpoint::start().await;
    let config = config(
        &endpoint,
        r#"
            resource-attributes = ["team"]
            [inputs]
            otlp-grpc = "127.0.0.1:0"
            [[exclude]]
            types = ["request"]
            name = "GET /health*"
            [redact]
            properties = ["*token*"]
            remove = ["internal.*"]
            patterns = ['\b\d{16}\b']
        "#,
    );
    let forwarder = Forwarder::start(config).await.unwrap();
    let mut client = client(&forwarder).await;
    let attributes = vec![
        text("api.token", "secret"),
        text("internal.id", "1"),
        text("note", "card 4111111111111111"),
    ];
    let spans = vec![
        span(1, "POST /orders", attributes),
        span(2, "GET /healthz", Vec::new()),
        span(3, "POST /orders", Vec::new()),
    ];
    client.export(message("shop", spans)).await.unwrap();
    let requests = endpoint.wait_for(2, is_request).await;
    assert_eq!(requests.len(), 2);
    let request = &requests[0];
    assert_eq!(request.i_key, "00000000-0000-0000-0000-000000000001");
    assert_eq!(property(request, "api.token"), Some("[redacted]"));
    assert_eq!(property(request, "internal.id"), None);
    assert_eq!(property(request, "note"), Some("card [redacted]"));
    assert_eq!(property(request, "team"), Some("red"));
    let counted = property(request, "_MS.ProcessedByMetricExtractors");
    assert_eq!(counted, Some("(Name:'Requests', Ver:'1.1')"));
    let counts = forwarder.counts();
    assert_eq!((counts.excluded, counts.sampled_out), (1, 0));
    assert_eq!(counts.destinations[0].accepted, 2);
    // Unsent metrics are sent at the end.
    forwarder.shutdown().await;
    let envelopes = endpoint.envelopes();
    let metric = named(&envelopes, "requests/duration");
    let Data::Metric(data) = &metric.data else {
        panic!("{metric:?}")
    };
    assert_eq!(
        (data.metrics[0].count, data.metrics[0].value),
        (Some(2), 200.0)
    );
    assert_eq!(property(metric, "cloud/roleName"), Some("shop"));
    assert_eq!(property(metric, "Request.Success"), Some("True"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sampling_keeps_failures_and_counts_before() {
    let endpoint = Endpoint::start().await;
    let config = config(
        &endpoint,
        r#"
            [inputs]
            otlp-grpc = "127.0.0.1:0"
            [sampling]
            kind = "fixed"
            percent = 10
            keep-failures = true
        "#,
    );
    let forwarder = Forwarder::start(config).await.unwrap();
    let mut client = client(&forwarder).await;
    let failed = text("http.response.status_code", "500");
    let spans = (0..1_000).map(|number| match number % 100 {
        0 => span(number, "failed", vec![failed.clone()]),
        _ => span(number, "fine", Vec::new()),
    });
    client
        .export(message("shop", spans.collect()))
        .await
        .unwrap();
    forwarder.shutdown().await;
    let requests: Vec<_> = endpoint
        .envelopes()
        .into_iter()
        .filter(is_request)
        .collect();
    let of = |wanted: &str| {
        requests
            .iter()
            .filter(|one| name(one) == wanted)
            .collect::<Vec<_>>()
    };
    assert_eq!(of("failed").len(), 10);
    assert!(of("failed").iter().all(|one| one.sample_rate.is_none()));
    let fine = of("fine");
    assert!((50..150).contains(&fine.len()), "{}", fine.len());
    assert!(fine.iter().all(|one| one.sample_rate == Some(10.0)));
    let envelopes = endpoint.envelopes().into_iter();
    let counted = envelopes.filter_map(|one| match one.data {
        Data::Metric(data) => data.metrics[0].count,
        _ => None,
    });
    assert_eq!(counted.sum::<i64>(), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_lead_to_several_destinations_and_one_that_hangs_stops_no_other() {
    let (first, second) = (Endpoint::start().await, Endpoint::start().await);
    let mut config = config(
        &first,
        r#"
            [inputs]
            otlp-grpc = "127.0.0.1:0"
            [[routes]]
            resource = { "service.name" = "bill*" }
            to = ["second"]
            [[routes]]
            resource = { "service.name" = "audit" }
            to = ["default", "second"]
        "#,
    );
    let destination = Destination::new("second", second.connection_string());
    config.destinations.push(destination);
    let forwarder = Forwarder::start(config).await.unwrap();
    let mut client = client(&forwarder).await;
    for service in ["shop", "billing", "audit"] {
        client
            .export(message(service, vec![span(1, service, Vec::new())]))
            .await
            .unwrap();
    }
    for (endpoint, services) in [(&first, ["audit", "shop"]), (&second, ["audit", "billing"])] {
        let mut got = endpoint.wait_for(2, is_request).await;
        got.sort_by_key(|one| name(one).to_owned());
        assert_eq!(got.iter().map(name).collect::<Vec<_>>(), services);
    }
    second.fall_silent();
    for number in 0..20 {
        let spans = vec![span(number, "more", Vec::new())];
        client.export(message("audit", spans)).await.unwrap();
    }
    first.wait_for(20, |one| name(one) == "more").await;
}
