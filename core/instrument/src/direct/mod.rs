//! The way of a span to azmon without the SDK.
//!
//! If azmon alone samples and receives the spans, it [sets a tracer](set_tracer) here. Instrumentation then starts its
//! spans by this tracer: each span is one block of memory from its start to its export, and the exporter's thread makes
//! its attributes. In every other case instrumentation starts spans by OpenTelemetry's API.

mod call;
mod deferred;
mod detached;
mod end;
mod ended;
mod record;
mod request;
mod slot;
mod start_span;

pub use self::call::CallFacts;
pub use self::deferred::DeferredAttributes;
pub use self::detached::{Detached, DetachedSpan, NewDetached, TakeRecord};
pub use self::end::{end, take_ended};
pub use self::ended::Ended;
pub use self::record::{NewRecord, SpanFields, SpanRate, SpanRecord, SpanStart};
pub use self::request::{CountedFacts, RequestFacts};
pub use self::slot::{set_tracer, tracer};
pub use self::start_span::{NewSpan, RecordedBy, SpanContent, StartSpan, StartedSpan};
