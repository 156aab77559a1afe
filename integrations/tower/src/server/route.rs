use opentelemetry::StringValue;

/// The template of the path that a router matched: `/users/{id}`.
///
/// A router puts it into the extensions of its *response* to tell a [`ServerLayer`](crate::ServerLayer)
/// around it, which sees no more of the request by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route(pub StringValue);

impl Route {
    /// Makes a route of a template.
    #[must_use]
    pub fn new(template: impl Into<StringValue>) -> Self {
        Self(template.into())
    }
}
