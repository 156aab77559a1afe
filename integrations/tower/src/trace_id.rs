use std::convert::Infallible;
use std::fmt;

use axum::extract::FromRequestParts;
use http::request::Parts;
use opentelemetry::Context;
use opentelemetry::trace::{TraceContextExt, TraceId};

/// Extracts the trace id of a request, for error responses and support.
///
/// Application Insights calls it the operation id. It is [`TraceId::INVALID`], 32 zeros, outside a
/// [`ServerLayer`](crate::ServerLayer) and without a provider.
///
/// # Examples
///
/// ```
/// use azmon_tower::CurrentTraceId;
/// use axum::http::StatusCode;
///
/// async fn fail(id: CurrentTraceId) -> (StatusCode, String) {
///     (StatusCode::INTERNAL_SERVER_ERROR, format!("please tell us this number: {id}"))
/// }
/// # axum::Router::<()>::new().route("/", axum::routing::get(fail));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CurrentTraceId(pub TraceId);

impl fmt::Display for CurrentTraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for CurrentTraceId {
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let id = Context::map_current(|context| context.span().span_context().trace_id());
        Ok(Self(id))
    }
}
