use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use http::StatusCode;
use opentelemetry::{Context, KeyValue, StringValue};

use crate::Hook;
use crate::semconv::GrpcStatus;

/// Decides whether an exchange succeeded; `None` leaves the decision to the conventions.
pub(super) type Classify = dyn Fn(&EndedExchange) -> Option<bool> + Send + Sync;
/// Observes every exchange that ended, and may add attributes.
pub(super) type OnEnd = dyn Fn(&EndedExchange, &mut Vec<KeyValue>) + Send + Sync;

/// The application's rules about the end of an exchange.
#[derive(Debug, Clone, Default)]
pub struct EndRules {
    /// Whether an exchange that was cancelled is an error.
    pub cancellation_is_error: bool,
    /// Decides whether an exchange succeeded.
    pub classify: Hook<Classify>,
    /// Observes the end of an exchange.
    pub on_end: Hook<OnEnd>,
}

/// An exchange that has ended, as hooks see it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EndedExchange {
    pub(super) context: Context,
    pub(super) status: Option<StatusCode>,
    pub(super) grpc_status: Option<GrpcStatus>,
    pub(super) error_type: Option<StringValue>,
    pub(super) is_cancelled: bool,
    pub(super) is_panic: bool,
    pub(super) response_size: Option<u64>,
    pub(super) duration: Duration,
}

impl EndedExchange {
    /// The context of the exchange, whose active span is the exchange's own.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The status; `None` if there was no response.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        self.status
    }

    /// The gRPC status of the call.
    #[must_use]
    pub fn grpc_status(&self) -> Option<GrpcStatus> {
        self.grpc_status
    }

    /// The `error.type`, if the exchange is an error: the status, or a name from a small set.
    #[must_use]
    pub fn error_type(&self) -> Option<&str> {
        self.error_type.as_ref().map(StringValue::as_str)
    }

    /// Whether the exchange is an error.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.error_type.is_some()
    }

    /// Whether the caller disconnected or gave up.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }

    /// Whether the service panicked.
    #[must_use]
    pub fn is_panic(&self) -> bool {
        self.is_panic
    }

    /// The size of the response's body in bytes, if the body ended or its size was announced.
    #[must_use]
    pub fn response_size(&self) -> Option<u64> {
        self.response_size
    }

    /// The time from the start of the request to the end of the response.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

impl EndRules {
    /// Whether no hook is set.
    pub(super) fn is_empty(&self) -> bool {
        self.classify.get().is_none() && self.on_end.get().is_none()
    }

    pub(super) fn classify(&self, ended: impl FnOnce() -> EndedExchange) -> Option<bool> {
        let hook = self.classify.get()?;
        guarded(|| hook(&ended())).flatten()
    }

    pub(super) fn tell_end(&self, ended: impl FnOnce() -> EndedExchange) -> Vec<KeyValue> {
        let mut attributes = Vec::new();
        if let Some(hook) = self.on_end.get() {
            guarded(|| hook(&ended(), &mut attributes));
        }
        attributes
    }
}

/// Runs a hook and catches its panic, which must reach neither the request nor a destructor. The panic hook of the
/// process has already reported it.
fn guarded<T>(hook: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(hook)).ok()
}
