//! Spans that go straight to azmon's pipeline.
//!
//! Where azmon alone decides about spans and gets them, its own instrumentation starts them here rather than
//! by a tracer of the SDK. They are the same spans to everybody who touches them: to the handler, by
//! [`Context`](opentelemetry::Context), and to Azure Monitor. But nothing is made where nothing is recorded,
//! and attributes are written by the worker, unless somebody looks at them before.
//!
//! Where there are other processors, exporters or samplers, the SDK's tracers are used.

mod caller;
#[expect(
    clippy::module_inception,
    reason = "the thing that the module is named after"
)]
mod recorder;
mod span;
#[cfg(test)]
mod tests;
mod tracer;

pub(crate) use self::recorder::Recorder;
pub(crate) use self::tracer::RecorderTracer;
