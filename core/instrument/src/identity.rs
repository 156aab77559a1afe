use opentelemetry::{Context, KeyValue, StringValue};

/// The user and the session of a [`Context`], as Application Insights counts them.
///
/// Spans that start in the context and log records that are emitted in it, including custom events, get this user and
/// session. An attribute of the record, or of the span after its start, takes precedence. A span that has already
/// started, such as the request's own, needs [`attributes`](Self::attributes) set explicitly.
///
/// # Examples
///
/// ```
/// use azmon_instrument::Identity;
/// use opentelemetry::Context;
/// use opentelemetry::trace::TraceContextExt;
///
/// let identity = Identity::new().user_id("5f1c").session_id("a81e");
/// let context = Context::current_with_value(identity.clone());
/// context.span().set_attributes(identity.attributes());
/// let _guard = context.attach(); // the following telemetry belongs to user 5f1c and session a81e
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    user_id: Option<StringValue>,
    authenticated_user_id: Option<StringValue>,
    account_id: Option<StringValue>,
    session_id: Option<StringValue>,
}

impl Identity {
    /// Makes an empty identity.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the id of an anonymous visitor: `enduser.pseudo.id`, `ai.user.id`.
    #[must_use]
    pub fn user_id(mut self, id: impl Into<StringValue>) -> Self {
        self.user_id = Some(id.into());
        self
    }

    /// Sets the id of an authenticated user: `enduser.id`, `ai.user.authUserId`.
    #[must_use]
    pub fn authenticated_user_id(mut self, id: impl Into<StringValue>) -> Self {
        self.authenticated_user_id = Some(id.into());
        self
    }

    /// Sets the id of the user's account, or tenant: `microsoft.user.account_id`, `ai.user.accountId`.
    #[must_use]
    pub fn account_id(mut self, id: impl Into<StringValue>) -> Self {
        self.account_id = Some(id.into());
        self
    }

    /// Sets the id of the session: `session.id`, `ai.session.id`. It is cut to 64 characters.
    #[must_use]
    pub fn session_id(mut self, id: impl Into<StringValue>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// The identity that `context` carries.
    #[must_use]
    pub fn of(context: &Context) -> Option<&Self> {
        context.get::<Self>()
    }

    /// The identity as attributes of a span or a log record.
    pub fn attributes(&self) -> impl Iterator<Item = KeyValue> {
        self.ids().map(|(key, id)| KeyValue::new(key, id.clone()))
    }

    /// The ids that are set, by attribute.
    #[doc(hidden)]
    pub fn ids(&self) -> impl Iterator<Item = (&'static str, &StringValue)> {
        [
            ("enduser.pseudo.id", &self.user_id),
            ("enduser.id", &self.authenticated_user_id),
            ("microsoft.user.account_id", &self.account_id),
            ("session.id", &self.session_id),
        ]
        .into_iter()
        .filter_map(|(key, id)| Some((key, id.as_ref()?)))
    }
}
