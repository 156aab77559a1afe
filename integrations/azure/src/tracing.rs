//! The tracer provider for the Azure SDK.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use azure_core::http::ClientOptions;
use azure_core::tracing::{Attribute, AttributeValue, Span, SpanKind, Tracer, TracerProvider};
use opentelemetry::global::{BoxedTracer, ObjectSafeTracerProvider};
use opentelemetry::trace::{SpanBuilder, TraceContextExt, Tracer as OtelTracer};
use opentelemetry::{Context, InstrumentationScope, global};

use crate::request_id::ServiceRequestId;
use crate::span::{AzureSpan, Role, asks_for_existence, is_head, key_value, otel_kind};

/// The version of the semantic conventions that the SDK's attributes follow.
const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.23.0";
const METHOD: &str = "http.request.method";

/// Traces the calls of every client and every credential that is made with `options`.
///
/// Spans go to the global tracer provider, including one that is installed later. [`AzureTracing::instrument`]
/// does the same with other settings. Calling it twice with the same options has no further effect.
///
/// # Examples
///
/// ```
/// use azure_identity::ClientSecretCredentialOptions;
/// use azure_storage_blob::BlobContainerClientOptions;
///
/// let mut options = BlobContainerClientOptions::default();
/// azmon_azure::instrument(&mut options.client_options);
///
/// // The calls of a credential are traced only if its own options are instrumented.
/// let mut options = ClientSecretCredentialOptions::default();
/// azmon_azure::instrument(&mut options.client_options);
/// ```
pub fn instrument(options: &mut ClientOptions) {
    AzureTracing::new().instrument(options);
}

/// Traces the Azure SDK with the OpenTelemetry API.
///
/// It implements `azure_core`'s [`TracerProvider`]. [`AzureTracing::instrument`] also adds [`ServiceRequestId`].
#[derive(Clone, Default)]
pub struct AzureTracing {
    missing_is_success: bool,
    /// `None` means the global provider.
    provider: Option<Arc<dyn ObjectSafeTracerProvider + Send + Sync>>,
}

impl AzureTracing {
    /// Traces to the global tracer provider, including one that is installed later.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the tracer provider. Defaults to the global one.
    #[must_use]
    pub fn tracer_provider<P>(mut self, provider: P) -> Self
    where
        P: ObjectSafeTracerProvider + Send + Sync + 'static,
    {
        self.provider = Some(Arc::new(provider));
        self
    }

    /// Sets whether 404 is a success for requests that check existence: those with the method `HEAD`, and those
    /// of calls named `exists` or `getProperties`. Defaults to `false`, as in the SDKs of other languages.
    ///
    /// Such a span has the status `Ok` and no `error.type`, and keeps its status code.
    #[must_use]
    pub fn missing_is_success(mut self, is_success: bool) -> Self {
        self.missing_is_success = is_success;
        self
    }

    /// Traces the calls of every client and every credential that is made with `options`.
    pub fn instrument(self, options: &mut ClientOptions) {
        options.instrumentation.tracer_provider = Some(Arc::new(self));
        ServiceRequestId::add_to(&mut options.per_try_policies);
    }
}

impl TracerProvider for AzureTracing {
    fn get_tracer(
        &self,
        namespace_name: Option<&'static str>,
        crate_name: &'static str,
        crate_version: Option<&'static str>,
    ) -> Arc<dyn Tracer> {
        let mut scope = InstrumentationScope::builder(crate_name).with_schema_url(SCHEMA_URL);
        if let Some(version) = crate_version {
            scope = scope.with_version(version);
        }
        let scope = scope.build();
        let provider = self.provider.as_ref();
        Arc::new(AzureTracer {
            given: provider.map(|provider| BoxedTracer::new(provider.boxed_tracer(scope.clone()))),
            missing_is_success: self.missing_is_success,
            namespace: namespace_name,
            scope,
        })
    }
}

impl fmt::Debug for AzureTracing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureTracing")
            .field("is_global", &self.provider.is_none())
            .field("missing_is_success", &self.missing_is_success)
            .finish()
    }
}

/// Starts the spans of one client.
#[derive(Debug)]
struct AzureTracer {
    /// The tracer of the configured provider. If `None`, each span asks the global provider.
    given: Option<BoxedTracer>,
    missing_is_success: bool,
    namespace: Option<&'static str>,
    scope: InstrumentationScope,
}

impl AzureTracer {
    fn start(
        &self,
        name: Cow<'static, str>,
        kind: &SpanKind,
        attributes: Vec<Attribute>,
        parent: &Context,
        role: Role,
    ) -> Arc<dyn Span> {
        let attributes = attributes
            .into_iter()
            .map(|Attribute { key, value }| key_value(key, value));
        let builder = SpanBuilder::from_name(name)
            .with_kind(otel_kind(kind))
            .with_attributes(attributes);
        let span = match &self.given {
            Some(tracer) => tracer.build_with_context(builder, parent),
            None => {
                let tracer = global::tracer_with_scope(self.scope.clone());
                tracer.build_with_context(builder, parent)
            }
        };
        Arc::new(AzureSpan::new(parent.with_span(span), role))
    }

    /// `call` tells whether the span's call checks existence.
    fn role(&self, name: &str, kind: &SpanKind, attributes: &[Attribute], call: bool) -> Role {
        if *kind == SpanKind::Client {
            let asks = call || method(attributes).is_some_and(is_head);
            Role::Request {
                missing_is_success: self.missing_is_success && asks,
            }
        } else {
            Role::Call {
                asks_for_existence: asks_for_existence(name),
            }
        }
    }
}

impl Tracer for AzureTracer {
    fn start_span(
        &self,
        name: Cow<'static, str>,
        kind: SpanKind,
        attributes: Vec<Attribute>,
    ) -> Arc<dyn Span> {
        let role = self.role(&name, &kind, &attributes, false);
        self.start(name, &kind, attributes, &Context::current(), role)
    }

    /// A parent of a foreign provider is unknown here. The span is then a child of the span in the current
    /// context.
    fn start_span_with_parent(
        &self,
        name: Cow<'static, str>,
        kind: SpanKind,
        attributes: Vec<Attribute>,
        parent: Arc<dyn Span>,
    ) -> Arc<dyn Span> {
        let Some(parent) = parent.as_any().downcast_ref::<AzureSpan>() else {
            return self.start_span(name, kind, attributes);
        };
        let role = self.role(&name, &kind, &attributes, parent.asks_for_existence());
        self.start(name, &kind, attributes, parent.context(), role)
    }

    fn namespace(&self) -> Option<&'static str> {
        self.namespace
    }
}

fn method(attributes: &[Attribute]) -> Option<&str> {
    let attribute = attributes
        .iter()
        .find(|attribute| attribute.key == METHOD)?;
    match &attribute.value {
        AttributeValue::String(method) => Some(method),
        _ => None,
    }
}
