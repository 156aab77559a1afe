//! Events of a span: exceptions and messages.

use std::borrow::Cow;

use opentelemetry::trace::Event;

use crate::envelope::{Data, ExceptionData, MessageData, SCHEMA_VERSION};
use crate::mapping::attributes::Attributes;
use crate::mapping::{Arena, exception, measurements, properties};

/// The name of an event that is an exception.
const EXCEPTION: &str = "exception";

/// The payload of an event.
pub(super) fn data<'a>(event: &'a Event, arena: &'a Arena) -> Data<'a> {
    let attributes = Attributes::new(&event.attributes, arena);
    if event.name == EXCEPTION {
        exception(&attributes)
    } else {
        message(event, &attributes)
    }
}

fn exception<'a>(attributes: &Attributes<'a>) -> Data<'a> {
    let exceptions = exception::chain(attributes, None);
    Data::Exception(ExceptionData {
        ver: SCHEMA_VERSION,
        exceptions,
        severity_level: None,
        problem_id: None,
        measurements: measurements::custom(attributes),
        properties: properties::unused(attributes, 0),
    })
}

fn message<'a>(event: &'a Event, attributes: &Attributes<'a>) -> Data<'a> {
    Data::Message(MessageData {
        ver: SCHEMA_VERSION,
        message: Cow::Borrowed(event.name.as_ref()),
        severity_level: None,
        measurements: measurements::custom(attributes),
        properties: properties::unused(attributes, 0),
    })
}
