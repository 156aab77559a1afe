use opentelemetry::{Context, StringValue};

/// The name of the operation that a [`Context`] belongs to: the name of its root request.
///
/// A server instrumentation puts it into the context of the handler. azmon's pipeline copies it to every span that is
/// started inside, as the attribute [`OperationName::ATTRIBUTE`], so that dependencies and exceptions can be found by
/// their request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperationName(pub StringValue);

impl OperationName {
    /// The attribute that carries the name on a span.
    pub const ATTRIBUTE: &'static str = "microsoft.operation_name";

    /// The name that `context` carries.
    #[must_use]
    pub fn of(context: &Context) -> Option<&Self> {
        context.get::<Self>()
    }
}
