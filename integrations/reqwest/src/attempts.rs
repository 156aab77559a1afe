use std::future::Future;
use std::pin::Pin;

use azmon_instrument::http::ResendCount;
use azmon_instrument::text_hash;
use http::{Extensions, StatusCode};
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

/// Reports the number of attempts to a [`TraceMiddleware`](crate::TraceMiddleware) outside a retry middleware.
///
/// A retry middleware does not report its attempts. This middleware, added after it, sees every attempt. The span
/// then has the attribute `http.request.resend_count`, unless the first attempt was the only one.
///
/// # Examples
///
/// ```
/// use azmon_reqwest::{AttemptCounter, TraceMiddleware};
/// use reqwest_middleware::ClientBuilder;
/// use reqwest_retry::{RetryTransientMiddleware, policies::ExponentialBackoff};
///
/// let retries = ExponentialBackoff::builder().build_with_max_retries(3);
/// let client = ClientBuilder::new(reqwest::Client::new())
///     .with(TraceMiddleware::new())
///     .with(RetryTransientMiddleware::new_with_policy(retries))
///     .with(AttemptCounter::new())
///     .build();
/// ```
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct AttemptCounter;

/// The number of times that a request was sent again, counted by an inner [`AttemptCounter`].
#[derive(Debug, Clone, Copy, Default)]
struct Attempts(u32);

impl AttemptCounter {
    /// Makes the middleware.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl Middleware for AttemptCounter {
    fn handle<'middleware, 'extensions, 'next, 'future>(
        &'middleware self,
        request: Request,
        extensions: &'extensions mut Extensions,
        next: Next<'next>,
    ) -> Pin<Box<dyn Future<Output = Result<Response>> + Send + 'future>>
    where
        'middleware: 'future,
        'extensions: 'future,
        'next: 'future,
        Self: 'future,
    {
        extensions.get_or_insert_default::<Attempts>().0 += 1;
        next.run(request, extensions)
    }
}

/// The hash of the request that a [`ResendCount`] in the extensions counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct CountedRequest(u64);

impl CountedRequest {
    fn of(request: &Request) -> Self {
        let method = text_hash(request.method().as_str());
        Self(text_hash(request.url().as_str()) ^ method.rotate_left(1))
    }
}

/// One attempt of a request that an outer middleware may repeat.
///
/// All attempts share their extensions. The count is inserted only when an attempt may be repeated, since it
/// takes three allocations.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) extensions: &'a mut Extensions,
    request: Option<CountedRequest>,
    may_be_repeated: bool,
    sent_before: u32,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(request: Option<&Request>, extensions: &'a mut Extensions) -> Self {
        let sent_before = sent(extensions);
        Self {
            extensions,
            request: request.map(CountedRequest::of),
            may_be_repeated: true,
            sent_before,
        }
    }

    /// Removes the count of another request that used the same extensions.
    pub(crate) fn forget_another(request: &Request, extensions: &mut Extensions) {
        if let Some(counted) = extensions.get::<CountedRequest>()
            && *counted != CountedRequest::of(request)
        {
            extensions.remove::<CountedRequest>();
            extensions.remove::<ResendCount>();
        }
    }

    /// The number of times that an inner [`AttemptCounter`] saw the request sent again.
    pub(crate) fn resent_inside(&self) -> u32 {
        let sent = sent(self.extensions).saturating_sub(self.sent_before);
        sent.saturating_sub(1)
    }

    /// Notes the status. A client error is not repeated, except where the server asks for a repetition (RFC 9110,
    /// section 15.5.9, and RFC 6585, section 4).
    pub(crate) fn end(&mut self, status: StatusCode) {
        self.may_be_repeated = status.is_server_error()
            || matches!(
                status,
                StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS
            );
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.may_be_repeated && self.extensions.get::<ResendCount>().is_none() {
            let count = ResendCount::default();
            // This attempt is the first.
            let _ = count.next();
            self.extensions.insert(count);
            if let Some(request) = self.request {
                self.extensions.insert(request);
            }
        }
    }
}

fn sent(extensions: &Extensions) -> u32 {
    extensions.get().map_or(0, |Attempts(sent)| *sent)
}
