//! The global logger: OpenTelemetry has none.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use opentelemetry::logs::LoggerProvider;
use opentelemetry_sdk::logs::{SdkLogger, SdkLoggerProvider};

/// Name of the logger that direct calls use.
const SCOPE: &str = "azmon";

static LOGGER: ArcSwapOption<SdkLogger> = ArcSwapOption::const_empty();

/// Sets the logger that direct calls use.
pub(super) fn set_logger(logger: SdkLogger) {
    LOGGER.store(Some(Arc::new(logger)));
}

/// The logger that direct calls use.
pub(crate) fn logger() -> Option<SdkLogger> {
    LOGGER.load().as_deref().cloned()
}

/// A logger for direct calls.
pub(super) fn logger_of(provider: &SdkLoggerProvider) -> SdkLogger {
    provider.logger(SCOPE)
}
