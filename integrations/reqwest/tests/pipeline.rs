//! The middleware with azmon's own pipeline, which starts spans without the SDK if it is installed globally.
//! Global providers belong to a process, so this is one test in a separate process.

#![cfg(test)]

mod nothing;

use allocation_counter::measure;
use async_trait::async_trait;
use axum::http::Extensions;
use azmon::Telemetry;
use azmon::envelope::Data;
use azmon::testing::InMemoryDestination;
use azmon_instrument::http::UrlTemplate;
use azmon_reqwest::TraceMiddleware;
use regex_lite::Regex;
use reqwest::{Request, Response, ResponseBuilderExt};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next, Result};
use tokio::runtime::{Builder, Runtime};

use self::nothing::Nothing;

/// Responds at once, with the status in the path.
struct Answers;

#[async_trait]
impl Middleware for Answers {
    async fn handle(&self, request: Request, _: &mut Extensions, _: Next<'_>) -> Result<Response> {
        let url = request.url().clone();
        let status = if url.path() == "/missing" { 404 } else { 200 };
        let response = axum::http::Response::builder().url(url).status(status);
        Ok(response.body("hello").unwrap().into())
    }
}

fn client(middleware: impl Middleware) -> ClientWithMiddleware {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    ClientBuilder::new(client)
        .with(middleware)
        .with(Answers)
        .build()
}

fn middleware() -> TraceMiddleware {
    TraceMiddleware::with_environment(|_| None)
}

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

/// The received calls, without ids and times.
fn sent(
    telemetry: &Telemetry,
    destination: &InMemoryDestination,
    middleware: TraceMiddleware,
) -> Vec<String> {
    let chance =
        Regex::new(r#""time":"[^"]*"|"duration":"[^"]*"|\b([0-9a-f]{32}|[0-9a-f]{16})\b"#).unwrap();
    destination.clear();
    let client = client(middleware);
    let long = "x".repeat(5_000);
    let template = || UrlTemplate("/users/{id}".into());
    let requests = [
        client.get("http://shop.example/"),
        client.get("http://user:password@shop.example:8080/a?token=secret&x=%C3%BC"),
        client.get(format!("https://shop.example/{long}?{long}")),
        client.post("https://shop.example/missing").body("12345"),
        client
            .put("http://[::1]:81/users/7")
            .with_extension(template()),
        client.request("PURGE".parse().unwrap(), "http://shop.example/"),
    ];
    for request in requests {
        runtime().block_on(async { request.send().await.unwrap().bytes().await.unwrap() });
        telemetry.force_flush().unwrap();
    }
    let envelopes = destination.envelopes().into_iter();
    let calls = envelopes.filter(|envelope| matches!(envelope.data, Data::RemoteDependency(_)));
    let texts = calls.map(|envelope| serde_json::to_string(&envelope).unwrap());
    texts
        .map(|text| chance.replace_all(&text, "?").into_owned())
        .collect()
}

/// Allocations of a call, minus those with a middleware that does nothing.
fn surplus(middleware: TraceMiddleware) -> u64 {
    let runtime = runtime();
    let count = |client: ClientWithMiddleware| {
        let call = || {
            let call = async {
                let request = client.get("http://shop.example/orders/7?page=2");
                let request = request.header("accept", "*/*");
                request.send().await.unwrap().bytes().await.unwrap()
            };
            measure(|| drop(runtime.block_on(call))).count_total
        };
        // The queue allocates memory for several items at once.
        (0..64).map(|_| call()).min().unwrap_or_default()
    };
    count(client(middleware)) - count(client(Nothing))
}

fn telemetry(ratio: f64) -> (Telemetry, InMemoryDestination) {
    let destination = InMemoryDestination::new();
    let builder = Telemetry::builder().destination(&destination);
    let builder = builder.panic_hook(false).sampling_ratio(ratio);
    (builder.build().unwrap(), destination)
}

#[test]
fn the_pipeline_gets_the_same_as_from_the_sdk_and_calls_allocate_little() {
    let (all, destination) = telemetry(1.0);
    let hooked = || {
        middleware().on_request(|_, attributes| {
            attributes.retain(|attribute| attribute.key.as_str() != "url.scheme");
        })
    };
    for middleware in [middleware, hooked] {
        let ours = sent(&all, &destination, middleware());
        let by_sdk = middleware().tracer_provider(all.tracer_provider());
        let by_sdk = sent(&all, &destination, by_sdk);
        for (ours, by_sdk) in ours.iter().zip(&by_sdk) {
            assert_eq!(ours, by_sdk);
        }
        assert_eq!((ours.len(), by_sdk.len()), (6, 6));
        assert!(!ours.concat().contains("secret") && !ours.concat().contains("password"));
    }
    let (traces, both) = (surplus(middleware().metrics(false)), surplus(middleware()));
    assert!(traces <= 10 && both <= 10, "{traces}, {both}");
    let headers = surplus(middleware().end_at_headers());
    assert!(headers <= 4, "{headers}");
    drop(all);

    let (none, destination) = telemetry(0.0);
    let (traces, both) = (surplus(middleware().metrics(false)), surplus(middleware()));
    assert!(traces <= 3 && both <= 8, "{traces}, {both}");
    assert_eq!(sent(&none, &destination, middleware()), [""; 0]);
}
