//! A tracer whose spans go straight to azmon's pipeline.
//!
//! Where azmon alone samples and receives spans, its own instrumentation starts them here rather than by a
//! tracer of the SDK. The handler, by [`Context`](opentelemetry::Context), and Azure Monitor see the same
//! spans. An unsampled span that is not counted allocates nothing, and the worker writes the attributes,
//! unless a processor reads them earlier.
//!
//! Where there are other processors, exporters or samplers, the SDK's tracers are used.

mod direct_tracer;
mod parent_span;
mod provider;
mod span;
#[cfg(test)]
mod tests;

pub(crate) use self::direct_tracer::DirectTracer;
pub(crate) use self::provider::DirectProvider;
