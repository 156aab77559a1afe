//! How a span reaches azmon without the SDK.
//!
//! Where azmon alone decides about spans and gets them, it [sets a tracer](set_tracer) here. Instrumentation
//! then starts spans by it, which are one block of memory from their start to their export, and whose
//! attributes are made by the exporter's thread. Everywhere else a span is started by OpenTelemetry's API.

mod detached;
mod end;
mod record;
mod request;
mod slot;
mod start_span;

pub use self::detached::{Detached, DetachedSpan, NewDetached, TakeRecord};
pub use self::end::{end, take_ended};
pub use self::record::{
    DeferredAttributes, NewRecord, SpanFields, SpanRate, SpanRecord, SpanStart,
};
pub use self::request::{EndedRequest, RequestFacts};
pub use self::slot::{set_tracer, tracer};
pub use self::start_span::{NewSpan, RecordedBy, SpanContent, StartSpan, StartedSpan};
