//! What OpenTelemetry has no global place for.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use opentelemetry_sdk::logs::SdkLoggerProvider;

static LOGGER_PROVIDER: ArcSwapOption<SdkLoggerProvider> = ArcSwapOption::const_empty();

/// Sets the logger provider that direct calls use.
pub(super) fn set_logger_provider(provider: SdkLoggerProvider) {
    LOGGER_PROVIDER.store(Some(Arc::new(provider)));
}

/// The logger provider that direct calls use.
pub(crate) fn logger_provider() -> Option<SdkLoggerProvider> {
    LOGGER_PROVIDER.load().as_deref().cloned()
}
