//! Events of a span: exceptions and messages.

use std::borrow::Cow;

use opentelemetry::trace::Event;

use crate::envelope::{Data, ExceptionData, ExceptionDetails, MessageData, SCHEMA_VERSION};
use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::{Arena, measurements, properties};

/// The name of an event that is an exception.
const EXCEPTION: &str = "exception";

/// Stands for a type or a message that the event does not have.
const UNKNOWN: &str = "Exception";

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
    let stack = attributes.take(Key::ExceptionStacktrace);
    let details = ExceptionDetails {
        type_name: Some(Cow::Borrowed(
            attributes.take(Key::ExceptionType).unwrap_or(UNKNOWN),
        )),
        message: Cow::Borrowed(attributes.take(Key::ExceptionMessage).unwrap_or(UNKNOWN)),
        has_full_stack: Some(stack.is_some()),
        stack: stack.map(Cow::Borrowed),
        ..ExceptionDetails::default()
    };
    Data::Exception(ExceptionData {
        ver: SCHEMA_VERSION,
        exceptions: vec![details],
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
