use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use opentelemetry::StringValue;

/// The template of the path of an outgoing request: `/users/{id}`.
///
/// Put into the extensions of the request, it becomes `url.template`, and part of the name of the span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlTemplate(pub StringValue);

impl UrlTemplate {
    /// Makes a template. It must be one of a small set: metrics have it as an attribute.
    #[must_use]
    pub fn new(template: impl Into<StringValue>) -> Self {
        Self(template.into())
    }
}

/// Counts how often a request is sent: as a retry, or because of a redirect.
///
/// Clones count together. Put into the extensions of a request before it is first sent, it gives each
/// further span the attribute `http.request.resend_count`.
#[derive(Debug, Clone, Default)]
pub struct ResendCount(Arc<AtomicU32>);

impl ResendCount {
    /// Counts one more, and says how often the request was sent before.
    #[must_use]
    pub fn next(&self) -> u32 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_count_together() {
        let first = ResendCount::default();
        let second = first.clone();
        assert_eq!([first.next(), second.next(), first.next()], [0, 1, 2]);
    }
}
