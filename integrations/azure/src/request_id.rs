//! The request id that the Azure service assigns, which Azure support asks for.

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use azure_core::error::ErrorKind;
use azure_core::http::headers::HeaderName;
use azure_core::http::policies::{Policy, PolicyResult};
use azure_core::http::{Context, Request};
use azure_core::tracing::Span;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-request-id");
const ATTRIBUTE: &str = "az.service_request.id";

/// The policy that [`instrument`](crate::instrument) adds. It is shared so that a second `instrument` can detect
/// it.
static SHARED: LazyLock<Arc<dyn Policy>> = LazyLock::new(|| Arc::new(ServiceRequestId));

/// Records the header `x-ms-request-id` of each response on the span of its HTTP call, as
/// `az.service_request.id`.
///
/// It is a policy of each try. [`instrument`](crate::instrument) adds it; it also works with the spans of another
/// [`TracerProvider`](azure_core::tracing::TracerProvider). `azure_core` itself reads this header from the
/// request, which does not have it.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct ServiceRequestId;

impl ServiceRequestId {
    /// Makes the policy.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// Adds the shared policy to `policies`, at most once.
    pub(crate) fn add_to(policies: &mut Vec<Arc<dyn Policy>>) {
        if !policies.iter().any(|policy| Arc::ptr_eq(policy, &SHARED)) {
            policies.push(Arc::clone(&SHARED));
        }
    }
}

#[expect(
    elided_lifetimes_in_paths,
    reason = "the trait leaves the lifetime out, and async_trait binds one that is written in another way"
)]
#[async_trait]
impl Policy for ServiceRequestId {
    async fn send(
        &self,
        ctx: &Context,
        request: &mut Request,
        next: &[Arc<dyn Policy>],
    ) -> PolicyResult {
        let Some((transport, rest)) = next.split_first() else {
            let message = "the policy of service request ids has no transport behind it";
            return Err(azure_core::Error::with_message(ErrorKind::Other, message));
        };
        let result = transport.send(ctx, request, rest).await;
        if let Ok(response) = &result
            && let Some(span) = ctx.value::<Arc<dyn Span>>()
            && span.is_recording()
            && let Some(id) = response.headers().get_optional_str(&REQUEST_ID)
        {
            span.set_attribute(ATTRIBUTE, id.into());
        }
        result
    }
}
