//! The layers with azmon's own pipeline, which starts spans without the SDK if it is installed globally. Global
//! providers belong to a process, so this is one test in a separate process.
#![cfg(test)]

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::ConnectInfo;
use axum::response::IntoResponse;
use axum::routing::{Route, any, get};
use azmon::Telemetry;
use azmon::envelope::Data;
use azmon::testing::InMemoryDestination;
use azmon_instrument::http::{ResendCount, UrlTemplate};
use azmon_tower::{ClientLayer, ResponseMode, ServerLayer};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use opentelemetry::Context;
use opentelemetry::KeyValue;
use opentelemetry::global;
use opentelemetry::trace::{TraceContextExt, Tracer};
use regex_lite::Regex;
use tower::layer::util::Identity;
use tower::{Layer, Service, ServiceExt, service_fn};

const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

fn layer() -> ServerLayer {
    ServerLayer::with_environment(|_| None)
}

fn router<L>(layer: L) -> Router
where
    L: Layer<Route> + Clone + Send + Sync + 'static,
    L::Service: Service<Request<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    <L::Service as Service<Request<Body>>>::Response: IntoResponse + 'static,
    <L::Service as Service<Request<Body>>>::Future: Send + 'static,
{
    async fn order() -> &'static str {
        // A child span of the SDK's global tracer, and an attribute from the handler.
        global::tracer("handler").in_span("pack", |_| ());
        let context = Context::current();
        context
            .span()
            .set_attribute(KeyValue::new("by the handler", true));
        "packed"
    }
    Router::new()
        .route("/users/{id}", get(|| async { "hello" }))
        .route("/orders/{id}", any(order))
        .route("/fail", any(|| async { StatusCode::BAD_GATEWAY }))
        .layer(layer)
        .with_state(())
}

/// A request with a browser's headers.
fn request(uri: &str) -> http::request::Builder {
    let peer: SocketAddr = "[2001:db8::7]:4711".parse().unwrap();
    Request::get(uri)
        .header("host", "shop.example.com:8080")
        .header(
            "user-agent",
            "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
        )
        .header("accept-language", "en-US,en;q=0.5")
        .extension(ConnectInfo(peer))
}

/// Requests of many kinds.
fn requests() -> Vec<Request<Body>> {
    let long = "x".repeat(5_000);
    let builders = [
        request("/users/7"),
        request("/users/7?q=1&token=secret&name=%C3%BC"),
        request(&format!("/users/{long}")),
        request("/users/8").header("traceparent", SAMPLED),
        request("/users/8")
            .header("traceparent", NOT_SAMPLED)
            .header("tracestate", "a=1"),
        request("/users/9").header("baggage", "k=v"),
        request("/users/9").header("content-length", "17"),
        request("/orders/1").method("POST"),
        request("/orders/1").method("PURGE"),
        request("/fail"),
        request("/nowhere?x"),
        request("/orders/rpc").header("content-type", "application/grpc"),
        Request::get("/users/1")
            .header("user-agent", HeaderValue::from_bytes(b"\xff\xfe").unwrap()),
        Request::get("/users/1")
            .header("user-agent", "ü")
            .header("host", "[::1]:80"),
        Request::get("http://other.example/users/1").version(http::Version::HTTP_2),
        Request::get("/").header("user-agent", "AlwaysOn"),
        Request::get("/"),
    ];
    let empty = |builder: http::request::Builder| builder.body(Body::empty()).unwrap();
    builders.map(empty).into()
}

async fn exchange(router: Router, request: Request<Body>) {
    let response = router
        .oneshot(request)
        .await
        .unwrap_or_else(|never: Infallible| match never {});
    let mut body = response.into_body();
    while body.frame().await.is_some() {}
}

/// Runs an exchange, in which nothing waits.
fn run(exchange: impl Future<Output = ()>) {
    let mut cx = task::Context::from_waker(task::Waker::noop());
    let mut exchange = std::pin::pin!(exchange);
    assert!(Pin::as_mut(&mut exchange).poll(&mut cx).is_ready());
}

/// The spans that arrive during `work`, without ids and times.
fn sent(telemetry: &Telemetry, destination: &InMemoryDestination, work: impl Fn()) -> Vec<String> {
    let chance =
        Regex::new(r#""time":"[^"]*"|"duration":"[^"]*"|\b([0-9a-f]{32}|[0-9a-f]{16})\b"#).unwrap();
    destination.clear();
    work();
    telemetry.force_flush().unwrap();
    let envelopes = destination.envelopes().into_iter();
    let spans = envelopes.filter(|envelope| !matches!(envelope.data, Data::Metric(_)));
    let texts = spans.map(|envelope| serde_json::to_string(&envelope).unwrap());
    texts
        .map(|text| chance.replace_all(&text, "?").into_owned())
        .collect()
}

/// The counts of the standard metrics.
fn counted(sampling_ratio: f64, work: impl Fn()) -> BTreeMap<String, i64> {
    let (telemetry, destination) = telemetry(|builder| {
        builder
            .sampling_ratio(sampling_ratio)
            .standard_metrics(true)
    });
    work();
    telemetry.force_flush().unwrap();
    let envelopes = destination.envelopes().into_iter();
    let metrics = envelopes.filter_map(|envelope| match envelope.data {
        Data::Metric(metric) => Some(metric),
        _ => None,
    });
    let series = metrics.filter_map(|metric| {
        let point = metric.metrics.into_iter().next()?;
        let is_standard = point.name.ends_with("s/duration");
        is_standard.then(|| {
            let properties = serde_json::to_string(&metric.properties).unwrap();
            (properties, point.count.unwrap_or_default())
        })
    });
    series.collect()
}

fn requests_to(router: &Router) {
    for request in requests() {
        run(exchange(router.clone(), request));
    }
}

/// Calls of many kinds, to a service that responds at once.
fn calls_by(layer: &ClientLayer) {
    let answer = service_fn(async |request: Request<Body>| {
        let status = match request.uri().path() {
            "/missing" => StatusCode::NOT_FOUND,
            _ => StatusCode::OK,
        };
        Ok::<_, Infallible>((status, "hello").into_response())
    });
    let long = format!("http://shop.example/{}", "x".repeat(500));
    let builders = [
        Request::get("http://user:password@shop.example:81/a?token=secret"),
        Request::get(long),
        Request::post("https://shop.example/missing").header("content-length", "5"),
        Request::put("http://shop.example/users/7").extension(UrlTemplate("/users/{id}".into())),
        Request::get("/relative").header("host", "shop.example"),
        Request::post("http://shop.example/a.B/C").header("content-type", "application/grpc"),
    ];
    for builder in builders {
        let call = layer.clone().layer(answer);
        run(async {
            let request = builder.body(Body::empty()).unwrap();
            let response = call.oneshot(request).await.unwrap();
            response.into_body().collect().await.unwrap();
        });
    }
}

#[track_caller]
fn assert_same(ours: &[String], by_sdk: &[String], count: usize) {
    for (ours, by_sdk) in ours.iter().zip(by_sdk) {
        assert_eq!(ours, by_sdk);
    }
    assert_eq!((ours.len(), by_sdk.len()), (count, count));
}

/// Allocations of one exchange, minus those with a layer that does nothing.
fn surplus<E>(layer: ServerLayer<E>, traceparent: Option<&str>) -> u64
where
    E: ResponseMode<Body, Body: HttpBody<Data = bytes::Bytes, Error: Into<axum::BoxError>> + Send>
        + Send
        + Sync
        + Clone
        + 'static,
{
    let count = |router: Router| {
        let one = || {
            let mut request = request("/users/7");
            if let Some(traceparent) = traceparent {
                request = request.header("traceparent", traceparent);
            }
            exchange(router.clone(), request.body(Body::empty()).unwrap())
        };
        (0..10).for_each(|_| run(one()));
        // The queue allocates memory for several items at once.
        let rounds = (0..64).map(|_| {
            let one = one();
            allocation_counter::measure(|| run(one)).count_total
        });
        rounds.min().unwrap_or_default()
    };
    count(router(layer)) - count(router(Identity::new()))
}

fn telemetry(
    configure: impl Fn(azmon::TelemetryBuilder) -> azmon::TelemetryBuilder,
) -> (Telemetry, InMemoryDestination) {
    let destination = InMemoryDestination::new();
    let builder = Telemetry::builder()
        .destination(&destination)
        .panic_hook(false);
    (configure(builder).build().unwrap(), destination)
}

#[test]
fn the_pipeline_gets_the_same_as_from_the_sdk_and_requests_allocate_little() {
    let (all, destination) = telemetry(|builder| builder);
    let hooked = || {
        layer()
            .request_headers(["accept-language"])
            .on_request(|_, attributes| attributes.retain(|pair| pair.key.as_str() != "url.path"))
            .trust_remote_parent(false)
    };
    for layer in [layer, hooked] {
        let by_sdk = layer().tracer_provider(all.tracer_provider());
        let [ours, by_sdk] = [layer(), by_sdk]
            .map(|layer| sent(&all, &destination, || requests_to(&router(layer.clone()))));
        // One request each, and the children of three.
        assert_same(&ours, &by_sdk, requests().len() + 3);
    }
    let client = || ClientLayer::with_environment(|_| None);
    let by_sdk = client().tracer_provider(all.tracer_provider());
    let [ours, by_sdk] =
        [client(), by_sdk].map(|layer| sent(&all, &destination, || calls_by(&layer)));
    assert_same(&ours, &by_sdk, 6);
    assert!(!ours.concat().contains("secret") && !ours.concat().contains("password"));
    for traceparent in [None, Some(SAMPLED), Some(NOT_SAMPLED)] {
        let traces = surplus(layer().metrics(false), traceparent);
        let both = surplus(layer(), traceparent);
        assert!(
            traces <= 8 && both <= 8,
            "{traces}, {both} for {traceparent:?}"
        );
    }
    drop(all);

    let (none, destination) = telemetry(|builder| builder.sampling_ratio(0.0));
    for traceparent in [None, Some(SAMPLED), Some(NOT_SAMPLED)] {
        let traces = surplus(layer().metrics(false), traceparent);
        let both = surplus(layer(), traceparent);
        assert!(
            traces <= 2 && both <= 3,
            "{traces}, {both} for {traceparent:?}"
        );
    }
    let work = || {
        requests_to(&router(layer()));
        calls_by(&client());
    };
    assert_eq!(sent(&none, &destination, work), [""; 0]);
    drop(none);
    let [kept, left_out] = [1.0, 0.0].map(|ratio| counted(ratio, work));
    assert_eq!(kept, left_out);
    assert!(kept.len() > 5, "{kept:?}");
    // Plus the children of three.
    let count = requests().len() + 3 + 6;
    assert_eq!(kept.values().sum::<i64>(), i64::try_from(count).unwrap());

    let (_none, _) = telemetry(|builder| builder.sampling_ratio(0.0));
    // Unrecorded attempts count, too, since a later attempt may be recorded.
    let attempts = ResendCount::default();
    let answer = service_fn(async |_: Request<Body>| Ok::<_, Infallible>("".into_response()));
    let call = client().layer(answer);
    let request = Request::get("http://shop.example/").extension(attempts.clone());
    run(async { drop(call.oneshot(request.body(Body::empty()).unwrap()).await) });
    assert_eq!(attempts.next(), 1);
}
