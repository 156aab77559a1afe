//! Exceptions: an error, its causes, and its stack.

use std::borrow::Cow;

use opentelemetry::{Array, StringValue, Value};

use crate::envelope::ExceptionDetails;
use crate::mapping::attributes::Attributes;
use crate::mapping::backtrace;
use crate::mapping::keys::Key;

/// Replaces an unknown type or message.
const UNKNOWN: &str = "Exception";

/// The error that the attributes describe, followed by its causes; each is the inner exception of the one before.
///
/// `text` is the message if no attribute has one.
pub(super) fn chain<'a>(
    attributes: &Attributes<'a>,
    text: Option<&'a str>,
) -> Vec<ExceptionDetails<'a>> {
    let stack = attributes.take(Key::ExceptionStacktrace);
    let kind = attributes.take(Key::ExceptionType);
    let message = attributes.take(Key::ExceptionMessage).or(text);
    let outer = ExceptionDetails {
        type_name: Some(Cow::Borrowed(kind.unwrap_or(UNKNOWN))),
        message: Cow::Borrowed(message.unwrap_or(UNKNOWN)),
        has_full_stack: Some(stack.is_some()),
        stack: stack.map(Cow::Borrowed),
        parsed_stack: stack.map(backtrace::frames).unwrap_or_default(),
        ..ExceptionDetails::default()
    };
    let mut exceptions = vec![outer];
    let messages = texts(attributes, Key::ExceptionCauseMessage);
    let types = texts(attributes, Key::ExceptionCauseType);
    for (place, message) in messages.iter().enumerate() {
        let kind = types.get(place).map(StringValue::as_str);
        let kind = kind.filter(|kind| !kind.is_empty()).unwrap_or(UNKNOWN);
        exceptions.push(ExceptionDetails {
            type_name: Some(Cow::Borrowed(kind)),
            message: Cow::Borrowed(message.as_str()),
            has_full_stack: Some(false),
            ..ExceptionDetails::default()
        });
    }
    if exceptions.len() > 1 {
        number(&mut exceptions);
    }
    exceptions
}

/// Numbers the exceptions, and links each to the one that it caused.
fn number(exceptions: &mut [ExceptionDetails<'_>]) {
    for (exception, id) in exceptions.iter_mut().zip(1..) {
        exception.id = Some(id);
        exception.outer_id = (id > 1).then_some(id - 1);
    }
}

fn texts<'a>(attributes: &Attributes<'a>, key: Key) -> &'a [StringValue] {
    match attributes.value(key) {
        Some(Value::Array(Array::String(texts))) => {
            attributes.mark_used(key);
            texts
        }
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;

    use super::*;
    use crate::mapping::Arena;

    fn array(texts: &[&'static str]) -> Value {
        let texts = texts.iter().map(|text| StringValue::from(*text)).collect();
        Value::Array(Array::String(texts))
    }

    #[test]
    fn causes_are_inner_exceptions() {
        let all = [
            KeyValue::new("exception.type", "Outer"),
            KeyValue::new("exception.message", "outer failed"),
            KeyValue::new("exception.cause.type", array(&["Middle"])),
            KeyValue::new("exception.cause.message", array(&["middle failed", "root"])),
        ];
        let arena = Arena::new();
        let chain = chain(&Attributes::new(&all, &arena), None);
        let seen: Vec<_> = chain
            .iter()
            .map(|e| (e.id, e.outer_id, e.type_name.as_deref(), e.message.as_ref()))
            .collect();
        assert_eq!(
            seen,
            [
                (Some(1), None, Some("Outer"), "outer failed"),
                (Some(2), Some(1), Some("Middle"), "middle failed"),
                (Some(3), Some(2), Some("Exception"), "root"),
            ]
        );
    }

    #[test]
    fn causes_that_are_no_pairs_stay_dimensions() {
        let all = [
            KeyValue::new("exception.type", "Outer"),
            KeyValue::new("exception.cause.message", "not a list"),
        ];
        let arena = Arena::new();
        let attributes = Attributes::new(&all, &arena);
        assert_eq!(chain(&attributes, None).len(), 1);
        assert!(!attributes.is_used(Key::ExceptionCauseMessage));
    }
}
