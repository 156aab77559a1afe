use std::fmt::Debug;

use opentelemetry::KeyValue;

use super::call::CallFacts;
use super::request::RequestFacts;

/// Attributes of a span that are written when the span is sent, instead of when it starts.
pub trait DeferredAttributes: Debug + Send + Sync + 'static {
    /// Writes the attributes in the order in which they would have been set.
    fn write(&self, attributes: &mut Vec<KeyValue>);

    /// Writes at least the attributes that standard metrics need: the dimensions of a request or a dependency.
    fn write_dimensions(&self, attributes: &mut Vec<KeyValue>) {
        self.write(attributes);
    }

    /// The request whose attributes they are, if they are what its facts [write](RequestFacts::write) and nothing
    /// else.
    fn request(&self) -> Option<RequestFacts<'_>> {
        None
    }

    /// The outgoing call whose attributes they are, if they are what its facts [write](CallFacts::write) and nothing
    /// else.
    fn call(&self) -> Option<CallFacts<'_>> {
        None
    }

    /// The memory that they will hold, in bytes, as far as it is not constant.
    fn size(&self) -> usize;
}
