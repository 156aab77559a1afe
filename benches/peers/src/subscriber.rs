//! `tracing` with a bridge to OpenTelemetry, for peers that record through `tracing`.

use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::subscriber::set_global_default;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// Sends spans and events to the provider, with the bridge's defaults.
pub(crate) fn install(provider: &SdkTracerProvider) {
    let bridge = tracing_opentelemetry::layer().with_tracer(provider.tracer("tracing"));
    set_global_default(registry().with(bridge)).expect("there is no other subscriber");
}
