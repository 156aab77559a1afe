use std::future::Future;
use std::pin::Pin;

use azmon_instrument::http::ResendCount;
use http::Extensions;
use reqwest::{Request, Response};
use reqwest_middleware::{Middleware, Next, Result};

/// Tells a [`TraceMiddleware`](crate::TraceMiddleware) outside of a retry middleware how often the request
/// was sent.
///
/// A retry middleware tells nobody. Added after it, this one sees every attempt; its span then has the
/// attribute `http.request.resend_count`, unless the first attempt was the only one.
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

/// How often a request was sent, as an [`AttemptCounter`] inside has seen it.
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

/// One attempt at a request, which whoever is outside may repeat.
///
/// All attempts share their extensions. The count is put there only when an attempt ends without success,
/// since others are not repeated, and it takes three allocations.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) extensions: &'a mut Extensions,
    has_succeeded: bool,
    sent_before: u32,
}

impl<'a> Attempt<'a> {
    pub(crate) fn new(extensions: &'a mut Extensions) -> Self {
        let sent_before = sent(extensions);
        Self {
            extensions,
            has_succeeded: false,
            sent_before,
        }
    }

    /// How often the request was sent again inside, as far as an [`AttemptCounter`] has seen it.
    pub(crate) fn resent_inside(&self) -> u32 {
        let sent = sent(self.extensions).saturating_sub(self.sent_before);
        sent.saturating_sub(1)
    }

    pub(crate) fn succeed(&mut self) {
        self.has_succeeded = true;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.has_succeeded && self.extensions.get::<ResendCount>().is_none() {
            let count = ResendCount::default();
            // This attempt is the first.
            let _ = count.next();
            self.extensions.insert(count);
        }
    }
}

fn sent(extensions: &Extensions) -> u32 {
    extensions.get().map_or(0, |Attempts(sent)| *sent)
}
