//! Services with the peers' middleware, and OpenTelemetry's exporters, or that of opentelemetry-application-insights.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;

use azmon_benches::Case;
use azmon_benches::areas::service::{
    ALL, CALL, METRICS, Pool, TRACES, calls, client, does_all, pool, router, routers,
};
use azmon_benches::fixtures::{Backend, Routers, Server, connection_string};
use bytes::Bytes;
use http::Request;
use opentelemetry::global;
use opentelemetry_application_insights::{Exporter, HttpClient};
use opentelemetry_instrumentation_tower::http::server::{Layer, LayerBuilder};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use reqwest_tracing::{SpanBackendWithUrl, TracingMiddleware};
use sqlx_otel::PoolBuilder;
use tracing::level_filters::LevelFilter;
use tracing::subscriber::set_global_default;
use tracing_subscriber::Layer as _;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use crate::application_insights::Answer;
use crate::otlp::Otlp;
use crate::{label, otlp_0_32};

const TOWER: &str = "opentelemetry-instrumentation-tower";
const APPLICATION_INSIGHTS: &str = "opentelemetry-application-insights";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = requests();
    cases.extend(services());
    cases
}

fn requests() -> Vec<Case> {
    vec![
        Case::peer(
            "service/otel-tower/metrics",
            label(TOWER, "OTLP, with metrics"),
            || {
                let backend = |receiver| Otlp::start(receiver).with_metrics();
                Server::start(backend, async |_| routers(router().layer(Layer::new())))
            },
        )
        .group(METRICS)
        .records(1),
        Case::peer(
            "service/otel-tower/gzip",
            label(TOWER, "OTLP with gzip, with metrics"),
            || {
                let backend = |receiver| Otlp::start_with_gzip(receiver).with_metrics();
                Server::start(backend, async |_| routers(router().layer(Layer::new())))
            },
        )
        .records(1)
        .remark("compresses the spans, as azmon"),
        Case::peer(
            "service/otel-tower/traces",
            label(TOWER, "OTLP, traces only"),
            || Server::start(Otlp::start, async |_| routers(router().layer(traces()))),
        )
        .group(TRACES)
        .records(1),
        Case::peer(
            "service/application-insights",
            format!(
                "{} and {}",
                label(TOWER, "traces only"),
                label(APPLICATION_INSIGHTS, "")
            ),
            || {
                Server::start(ApplicationInsights::start, async |_| {
                    routers(router().layer(traces()))
                })
            },
        )
        .records(1)
        .remark("over HTTP: a client of the benchmark undoes the exporter's HTTPS"),
    ]
}

fn services() -> Vec<Case> {
    vec![
        Case::peer(
            "service/reqwest-tracing/call",
            label("reqwest-tracing", "OTLP, one call"),
            || {
                let traced = |receiver| {
                    let otlp = otlp_0_32::Otlp::start(receiver);
                    let spans = tracing_opentelemetry_0_33::layer().with_tracer(otlp.tracer());
                    let subscriber = registry().with(spans.with_filter(LevelFilter::INFO));
                    set_global_default(subscriber).expect("there is no other subscriber");
                    otlp
                };
                Server::start(traced, async |called| Routers {
                    bare: calls(client(), called),
                    layered: calls(client().with(middleware()), called),
                })
            },
        )
        .group(CALL)
        .records(1)
        .remark("with the URL, as azmon"),
        Case::peer("service/peers/all", "the peers together, OTLP", || {
            Server::start(Together::start, async |called| {
                let traced = PoolBuilder::from(pool().await).build();
                let all = does_all(Pool(traced), client().with(middleware()), called, true);
                Routers {
                    bare: does_all(Pool(pool().await), client(), called, false),
                    layered: all.layer(Layer::new()),
                }
            })
        })
        .group(ALL)
        .records(3)
        .logs(2)
        .remark("two pipelines, since two of them are at OpenTelemetry 0.32"),
    ]
}

fn traces() -> Layer {
    let layer = LayerBuilder::builder().with_metrics(false).build();
    layer.expect("the layer can be built")
}

fn middleware() -> TracingMiddleware<SpanBackendWithUrl> {
    TracingMiddleware::new()
}

/// The SDK's batch processor with the exporter.
#[derive(Debug)]
struct ApplicationInsights(SdkTracerProvider);

impl ApplicationInsights {
    fn start(receiver: SocketAddr) -> Self {
        let client = Plain(reqwest::blocking::Client::new());
        let exporter = Exporter::new_from_connection_string(connection_string(receiver), client);
        let tracers = SdkTracerProvider::builder()
            .with_batch_exporter(exporter.expect("the connection string is right"))
            .build();
        global::set_tracer_provider(tracers.clone());
        global::set_text_map_propagator(TraceContextPropagator::new());
        Self(tracers)
    }
}

impl Backend for ApplicationInsights {
    fn flush(&self) {
        self.0.force_flush().expect("spans are exported");
    }

    fn delivered(&self) -> Option<u64> {
        None
    }
}

/// A client over HTTP. The exporter makes HTTPS of every endpoint.
#[derive(Debug)]
struct Plain(reqwest::blocking::Client);

impl HttpClient for Plain {
    fn send_bytes<'client, 'answer>(
        &'client self,
        mut request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Answer> + Send + 'answer>>
    where
        'client: 'answer,
        Self: 'answer,
    {
        let plain = request.uri().to_string().replacen("https:", "http:", 1);
        match plain.parse() {
            Ok(plain) => *request.uri_mut() = plain,
            Err(error) => return Box::pin(std::future::ready(Err(error.into()))),
        }
        self.0.send_bytes(request)
    }
}

/// The parts that peers of either version of OpenTelemetry need.
#[derive(Debug)]
struct Together(Otlp, otlp_0_32::Otlp);

impl Together {
    fn start(receiver: SocketAddr) -> Self {
        let (new, logs) = Otlp::start(receiver).with_metrics().with_logs();
        let old = otlp_0_32::Otlp::start(receiver);
        let spans = tracing_opentelemetry_0_33::layer().with_tracer(old.tracer());
        // The exporters and their clients also emit events.
        let own = tracing_subscriber::filter::filter_fn(|metadata| {
            metadata.is_span() || metadata.target().starts_with("azmon_benches")
        });
        let subscriber = registry()
            .with(
                spans.with_filter(tracing_subscriber::filter::filter_fn(|metadata| {
                    metadata.is_span() && *metadata.level() <= tracing::Level::INFO
                })),
            )
            .with(logs.with_filter(own).with_filter(LevelFilter::INFO));
        set_global_default(subscriber).expect("there is no other subscriber");
        Self(new, old)
    }
}

impl Backend for Together {
    fn flush(&self) {
        self.0.flush();
        self.1.flush();
    }

    fn delivered(&self) -> Option<u64> {
        None
    }
}
