//! What OpenTelemetry has no global place for.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use opentelemetry_sdk::logs::SdkLoggerProvider;

use crate::recorder::Recorder;

static LOGGER_PROVIDER: ArcSwapOption<SdkLoggerProvider> = ArcSwapOption::const_empty();
static RECORDER: ArcSwapOption<Recorder> = ArcSwapOption::const_empty();

/// Sets the logger provider that direct calls use.
pub(super) fn set_logger_provider(provider: SdkLoggerProvider) {
    LOGGER_PROVIDER.store(Some(Arc::new(provider)));
}

/// The logger provider that direct calls use.
pub(crate) fn logger_provider() -> Option<SdkLoggerProvider> {
    LOGGER_PROVIDER.load().as_deref().cloned()
}

/// Sets what stands for the global tracer provider in azmon's own instrumentation; `None` for that itself.
pub(super) fn set_recorder(recorder: Option<Arc<Recorder>>) {
    RECORDER.store(recorder);
}

/// What stands for the global tracer provider in azmon's own instrumentation.
pub(crate) fn recorder() -> Option<Arc<Recorder>> {
    RECORDER.load_full()
}
