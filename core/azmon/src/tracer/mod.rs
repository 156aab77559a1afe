//! A tracer whose spans go straight to azmon's pipeline.
//!
//! If azmon alone samples and receives spans, its own instrumentation starts them here instead of by a tracer of the
//! SDK. The handler, by [`Context`](opentelemetry::Context), and Azure Monitor see the same
//! spans. An unsampled span that is not counted allocates nothing, one that is
//! counted has no record, and the worker writes the attributes,
//! unless a processor reads them earlier.
//!
//! With other processors, exporters or samplers, the instrumentation uses the SDK's tracers.

mod counted_span;
mod direct_tracer;
mod parent_span;
mod provider;
mod span;
#[cfg(test)]
mod tests;

pub(crate) use self::direct_tracer::DirectTracer;
pub(crate) use self::provider::DirectProvider;
