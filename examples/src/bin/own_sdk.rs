//! azmon's exporters with an OpenTelemetry SDK that the program configures itself.
//!
//! `azmon::Telemetry` does more with less code. This is for a program that already has its own providers.
//!
//! ```text
//! cargo run -p azmon-portal -- portal
//! APPLICATIONINSIGHTS_CONNECTION_STRING='…' cargo run -p azmon-examples --bin own_sdk
//! ```

use std::error::Error;

use azmon::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry::global;
use opentelemetry::trace::{Tracer, TracerProvider};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

fn main() -> Result<(), Box<dyn Error>> {
    let resource = Resource::builder().with_service_name("own_sdk").build();
    let tracers = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_batch_exporter(SpanExporter::builder().build()?)
        .build();
    let loggers = SdkLoggerProvider::builder()
        .with_resource(resource.clone())
        .with_batch_exporter(LogExporter::builder().build()?)
        .build();
    let meters = SdkMeterProvider::builder()
        .with_resource(resource)
        .with_periodic_exporter(MetricExporter::builder().build()?)
        .build();
    global::set_tracer_provider(tracers.clone());
    global::set_meter_provider(meters.clone());
    tracing_subscriber::registry()
        .with(OpenTelemetryTracingBridge::new(&loggers))
        .init();

    tracers.tracer("own_sdk").in_span("stocktaking", |_| {
        tracing::warn!(item = "screws", "the stock is low");
        global::meter("own_sdk")
            .u64_counter("items")
            .build()
            .add(3, &[]);
    });

    tracers.shutdown()?;
    loggers.shutdown()?;
    meters.shutdown()?;
    Ok(())
}
