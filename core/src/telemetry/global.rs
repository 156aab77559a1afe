//! The logger provider that direct calls use; OpenTelemetry has no global one for logs.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use opentelemetry_sdk::logs::SdkLoggerProvider;

static LOGGER_PROVIDER: ArcSwapOption<SdkLoggerProvider> = ArcSwapOption::const_empty();

pub(super) fn set_logger_provider(provider: SdkLoggerProvider) {
    LOGGER_PROVIDER.store(Some(Arc::new(provider)));
}

pub(crate) fn logger_provider() -> Option<SdkLoggerProvider> {
    LOGGER_PROVIDER.load().as_deref().cloned()
}
