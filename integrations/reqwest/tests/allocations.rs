//! The allocations of the middleware for a call, in a separate process, with the server in its own thread.

#![cfg(test)]

mod nothing;

use allocation_counter::measure;
use axum::Router;
use axum::routing::get;
use azmon_reqwest::TraceMiddleware;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, Tracer, TracerProvider};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider};
use reqwest_middleware::{ClientBuilder, Middleware, Result};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use self::nothing::Nothing;

const CALLS: u64 = 200;

struct Calls {
    runtime: Runtime,
    tracers: SdkTracerProvider,
    url: String,
}

impl Calls {
    fn sampled(sampler: Sampler) -> Self {
        Self {
            runtime: runtime(),
            tracers: SdkTracerProvider::builder().with_sampler(sampler).build(),
            url: serve(),
        }
    }

    fn middleware(&self) -> TraceMiddleware {
        TraceMiddleware::with_environment(|_| None).tracer_provider(&self.tracers)
    }

    /// Allocations of one call, minus those with a middleware that does nothing.
    fn more_than_nothing(&self, middleware: impl Middleware) -> i64 {
        self.allocations(middleware) - self.allocations(Nothing)
    }

    /// Allocations of one call inside a span. Every call has another URL.
    fn allocations(&self, middleware: impl Middleware) -> i64 {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let client = ClientBuilder::new(client).with(middleware).build();
        let parent = self.tracers.tracer("test").start("parent");
        let _attached = Context::new().with_span(parent).attach();
        let call = |number| {
            let url = format!("{}/{number:04}?page=2", self.url);
            let text = async {
                client
                    .get(url)
                    .send()
                    .await?
                    .bytes()
                    .await
                    .map_err(Into::into)
            };
            let text: Result<_> = self.runtime.block_on(text);
            assert_eq!(text.unwrap(), "hello");
        };
        (0..CALLS).for_each(call);
        let counted = measure(|| (CALLS..2 * CALLS).for_each(call));
        // Rounds to whole allocations: buffers that are kept for later calls amount to less than half of one.
        i64::try_from((counted.count_total + CALLS / 2) / CALLS).unwrap()
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn serve() -> String {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            sender.send(listener.local_addr().unwrap()).unwrap();
            let router = Router::new().fallback(get(|| async { "hello" }));
            axum::serve(listener, router).await.unwrap();
        });
    });
    format!("http://{}", receiver.recv().unwrap())
}

fn meters() -> SdkMeterProvider {
    SdkMeterProvider::builder()
        .with_periodic_exporter(InMemoryMetricExporter::default())
        .build()
}

#[test]
fn a_recorded_call_takes_ten_allocations_with_metrics_or_without() {
    let calls = Calls::sampled(Sampler::AlwaysOn);
    let traced = calls.more_than_nothing(calls.middleware());
    let metered = calls.more_than_nothing(calls.middleware().meter_provider(&meters()));
    assert!(traced <= 10 && metered <= 10, "{traced}, {metered}");
}

#[test]
fn a_call_recorded_to_its_headers_takes_five() {
    let calls = Calls::sampled(Sampler::AlwaysOn);
    let allocations = calls.more_than_nothing(calls.middleware().end_at_headers());
    assert!(allocations <= 5, "{allocations}");
}

#[test]
fn a_call_that_is_not_sampled_takes_three_and_nine_if_it_is_measured() {
    let calls = Calls::sampled(Sampler::AlwaysOff);
    let unsampled = calls.more_than_nothing(calls.middleware());
    let metered = calls.more_than_nothing(calls.middleware().meter_provider(&meters()));
    assert!(unsampled <= 3 && metered <= 9, "{unsampled}, {metered}");
}

#[test]
fn a_call_that_is_excluded_or_has_no_provider_takes_less_than_nothing_does() {
    let calls = Calls::sampled(Sampler::AlwaysOn);
    let excluded = calls.middleware().exclude_hosts(["127.0.0.1"]);
    assert!(calls.more_than_nothing(excluded) <= 0);
    let idle = TraceMiddleware::with_environment(|_| None);
    assert!(calls.more_than_nothing(idle) <= 0);
}
