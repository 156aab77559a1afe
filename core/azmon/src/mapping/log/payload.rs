use std::borrow::Cow;
use std::time::SystemTime;

use crate::envelope::{Data, EventData, ExceptionData, MessageData, SCHEMA_VERSION};
use crate::item::LogData;
use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::log::availability::availability;
use crate::mapping::log::dimensions::{dimensions, event_name, level};
use crate::mapping::{MappingOptions, exception, measurements, text};

/// Replaces a missing text, which the service requires.
const NO_TEXT: &str = "n/a";

/// The payload of a record, and its time.
pub(in crate::mapping) fn payload<'a>(
    log: &'a LogData,
    attributes: &Attributes<'a>,
    options: &MappingOptions,
) -> (SystemTime, Data<'a>) {
    let is_exception = attributes
        .peek_first(&[Key::ExceptionType, Key::ExceptionMessage])
        .is_some();
    if is_exception {
        return (log.time, Data::Exception(exception_data(log, attributes)));
    }
    if let Some(name) = attributes.take(Key::MicrosoftCustomEventName) {
        let event = event_data(log, attributes, name, event_name(log));
        return (log.time, Data::Event(event));
    }
    if options.event_names_are_custom_events
        && let Some(name) = event_name(log)
    {
        return (
            log.time,
            Data::Event(event_data(log, attributes, name, None)),
        );
    }
    if let Some((time, mut data)) = availability(attributes) {
        data.measurements = measurements::custom(attributes);
        data.properties = dimensions(log, attributes, body(log, attributes), event_name(log));
        return (time.unwrap_or(log.time), Data::Availability(data));
    }
    (log.time, Data::Message(message_data(log, attributes)))
}

fn exception_data<'a>(log: &'a LogData, attributes: &Attributes<'a>) -> ExceptionData<'a> {
    let body = body(log, attributes);
    let has_message = attributes.peek(Key::ExceptionMessage).is_some();
    let exceptions = exception::chain(attributes, body);
    // The record's text would only repeat the message of the error.
    let repeats = exceptions
        .first()
        .is_some_and(|outer| body == Some(outer.message.as_ref()));
    let text = body.filter(|_| has_message && !repeats);
    let problem_id = exceptions
        .first()
        .filter(|outer| outer.parsed_stack.is_empty())
        .and_then(|outer| problem_id(outer.type_name.as_deref()?, attributes));
    ExceptionData {
        ver: SCHEMA_VERSION,
        exceptions,
        severity_level: log.severity.map(level),
        problem_id: problem_id.map(Cow::Borrowed),
        measurements: measurements::custom(attributes),
        properties: dimensions(log, attributes, text, event_name(log)),
    }
}

/// The key that groups errors without a stack: type and place. The service groups other errors by their stack.
fn problem_id<'a>(kind: &str, attributes: &Attributes<'a>) -> Option<&'a str> {
    let file = attributes.peek(Key::CodeFilePath)?;
    let arena = attributes.arena();
    Some(match attributes.peek(Key::CodeLineNumber) {
        Some(line) => arena.concat(&[kind, " at ", file, ":", line]),
        None => arena.concat(&[kind, " at ", file]),
    })
}

fn event_data<'a>(
    log: &'a LogData,
    attributes: &Attributes<'a>,
    name: &'a str,
    event_name: Option<&'a str>,
) -> EventData<'a> {
    EventData {
        ver: SCHEMA_VERSION,
        name: Cow::Borrowed(name),
        measurements: measurements::custom(attributes),
        properties: dimensions(log, attributes, body(log, attributes), event_name),
    }
}

fn message_data<'a>(log: &'a LogData, attributes: &Attributes<'a>) -> MessageData<'a> {
    let (body, event) = (body(log, attributes), event_name(log));
    let text = body.or(event).unwrap_or(NO_TEXT);
    MessageData {
        ver: SCHEMA_VERSION,
        message: Cow::Borrowed(text),
        severity_level: log.severity.map(level),
        measurements: measurements::custom(attributes),
        properties: dimensions(log, attributes, None, event.filter(|_| body.is_some())),
    }
}

/// The record's text, or its data as JSON; `None` if it is blank.
fn body<'a>(log: &'a LogData, attributes: &Attributes<'a>) -> Option<&'a str> {
    let text = text::of(log.body.as_ref()?, attributes.arena());
    Some(text).filter(|text| !text.trim().is_empty())
}
