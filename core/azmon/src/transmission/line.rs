//! One item as a line of JSON within the service's maximum size.

use serde::Serialize;

use crate::envelope::{Envelope, limits};
use crate::json;

/// Maximum size of an item, in bytes of JSON: a documented limit of the service.
pub(super) const LIMIT: usize = 64 * 1_024;

/// Length to which texts are cut before other parts are left out, in UTF-16 code units.
const FAIR_LENGTH: usize = 1_024;
/// Minimum length to which texts are ever cut.
const SHORTEST: usize = 64;
/// In a large item, a property with a longer value is moved behind the others, because the service may cut the last
/// ones.
const LARGE_VALUE: usize = 1_024;
/// An item is large if its properties exceed this size, in bytes.
const LARGE_ITEM: usize = 16 * 1_024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Whole,
    /// Written without some of its properties, or with shorter texts.
    Trimmed,
    /// Not written.
    Refused,
}

/// Appends the item and a newline to `lines`, and shortens the item if necessary.
///
/// Small properties precede long content. Texts are cut, by no more than necessary, before properties and errors of a
/// chain are left out; the innermost error always stays. Content of generative AI does not count against the limit: the
/// service accepts it at four times the size of a whole item.
pub(super) fn write(envelope: &mut Envelope<'_>, lines: &mut Vec<u8>) -> Written {
    envelope.apply_limits();
    small_before_large(envelope);
    let limit = LIMIT + gen_ai_content(envelope);
    // An item whose texts alone exceed the limit need not be serialised.
    if texts(envelope) <= limit && append(envelope, limit, lines) {
        return Written::Whole;
    }
    if shorten_to_fit(envelope, limit, FAIR_LENGTH) && append(envelope, limit, lines) {
        return Written::Trimmed;
    }
    envelope.thin_out();
    if shorten_to_fit(envelope, limit, FAIR_LENGTH) && append(envelope, limit, lines) {
        return Written::Trimmed;
    }
    envelope.shorten(FAIR_LENGTH);
    // Leaving out many small properties is better than cutting all of them to nothing.
    let mut fewer = envelope.clone();
    leave_out_properties(&mut fewer, limit);
    if append(&fewer, limit, lines) {
        return Written::Trimmed;
    }
    if shorten_to_fit(envelope, limit, SHORTEST) && append(envelope, limit, lines) {
        return Written::Trimmed;
    }
    envelope.shorten(SHORTEST);
    leave_out_properties(envelope, limit);
    if append(envelope, limit, lines) {
        return Written::Trimmed;
    }
    Written::Refused
}

/// Cuts texts to the maximum length, at least `least`, at which the item fits into `limit` bytes; false if no such
/// length exists.
fn shorten_to_fit(envelope: &mut Envelope<'_>, limit: usize, least: usize) -> bool {
    let fits = |max: usize| {
        let mut shorter = envelope.clone();
        shorter.shorten(max);
        (json_length(&shorter) <= limit).then_some(shorter)
    };
    let Some(mut best) = fits(least) else {
        return false;
    };
    let (mut low, mut high) = (least, LIMIT);
    // A result within a sixteenth of the best length is close enough.
    while high - low > low / 16 {
        let middle = low + (high - low) / 2;
        match fits(middle) {
            Some(shorter) => (low, best) = (middle, shorter),
            None => high = middle,
        }
    }
    *envelope = best;
    true
}

/// The size of all properties, in bytes.
fn texts(envelope: &Envelope<'_>) -> usize {
    let properties = envelope.data.properties().iter();
    properties.map(|(key, value)| key.len() + value.len()).sum()
}

/// Moves long properties of a large item behind the others, and keeps their order.
fn small_before_large(envelope: &mut Envelope<'_>) {
    if texts(envelope) <= LARGE_ITEM {
        return;
    }
    let mut large = Vec::new();
    let properties = envelope.data.properties_mut();
    properties.retain(|key, value| {
        let is_small = value.len() <= LARGE_VALUE;
        if !is_small {
            large.push((key.to_owned(), std::mem::take(value)));
        }
        is_small
    });
    for (key, value) in large {
        properties.push(key, value);
    }
}

/// Writes the item if it fits into `limit` bytes; otherwise leaves `lines` unchanged.
fn append(envelope: &Envelope<'_>, limit: usize, lines: &mut Vec<u8>) -> bool {
    let start = lines.len();
    let fits = json::append(envelope, lines).is_ok() && lines.len() - start <= limit;
    if fits {
        lines.push(b'\n');
    } else {
        lines.truncate(start);
    }
    fits
}

fn gen_ai_content(envelope: &Envelope<'_>) -> usize {
    let content = envelope.data.properties().iter();
    content
        .filter(|(key, _)| limits::property_value(key) == limits::GEN_AI_CONTENT)
        .map(size)
        .sum()
}

/// Keeps the first properties, as many as fit into `limit` bytes together with the item.
fn leave_out_properties(envelope: &mut Envelope<'_>, limit: usize) {
    let properties = envelope.data.properties().iter().map(size).sum::<usize>();
    let rest = json_length(envelope).saturating_sub(properties);
    let mut used = rest;
    envelope.data.properties_mut().retain(|key, value| {
        used += size((key, value));
        used <= limit
    });
}

/// The size of one property in JSON, in bytes: `"key":"value",`.
fn size((key, value): (&str, &std::borrow::Cow<'_, str>)) -> usize {
    json_length(&key) + json_length(value) + 2
}

fn json_length<T: Serialize>(value: &T) -> usize {
    let mut counter = Counter(0);
    // Counting cannot fail, and a value that cannot be serialised is refused when it is written.
    let _ = serde_json::to_writer(&mut counter, value);
    counter.0
}

struct Counter(usize);

impl std::io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::time::SystemTime;

    use super::*;
    use crate::envelope::{
        Data, ExceptionData, ExceptionDetails, Measurements, MessageData, Properties, StackFrame,
    };

    fn message(text: &str, properties: Properties<'static>) -> Envelope<'static> {
        let data = MessageData {
            ver: 2,
            message: Cow::Owned(text.to_owned()),
            severity_level: None,
            properties,
            measurements: Measurements::new(),
        };
        Envelope::new(SystemTime::UNIX_EPOCH, Data::Message(data))
    }

    fn written(envelope: &mut Envelope<'_>) -> (Written, Option<Envelope<'static>>) {
        let mut lines = b"before\n".to_vec();
        let written = write(envelope, &mut lines);
        let line = lines.strip_prefix(b"before\n").unwrap();
        (written, serde_json::from_slice(line).ok())
    }

    #[test]
    fn a_small_item_is_written_whole() {
        let mut envelope = message("hello", Properties::new());
        assert_eq!(written(&mut envelope), (Written::Whole, Some(envelope)));
    }

    #[test]
    fn of_many_properties_the_first_are_kept() {
        let mut properties = Properties::new();
        for number in 0..10_000 {
            properties.push(format!("key {number}"), format!("value {number}"));
        }
        let (how, read) = written(&mut message("hello", properties));
        let read = read.unwrap();
        assert_eq!(how, Written::Trimmed);
        let kept = read.data.properties();
        assert!(kept.len() > 1_500, "{}", kept.len());
        assert_eq!(kept.get("key 0").unwrap(), "value 0");
        let size = serde_json::to_vec(&read).unwrap().len();
        assert!(size <= LIMIT && size > LIMIT - 100, "{size}");
    }

    #[test]
    fn long_texts_are_cut_before_properties_are_left_out() {
        let properties: Properties<'_> = (0..12)
            .map(|number| {
                (
                    Cow::Owned(number.to_string()),
                    Cow::Owned("v".repeat(8_192)),
                )
            })
            .collect();
        let (how, read) = written(&mut message("hello", properties));
        let read = read.unwrap();
        assert_eq!(how, Written::Trimmed);
        assert_eq!(read.data.properties().len(), 12);
        let length = read.data.properties().get("11").unwrap().len();
        assert!((5_000..5_400).contains(&length), "{length}");
        let size = serde_json::to_vec(&read).unwrap().len();
        assert!(size > LIMIT * 9 / 10, "{size}");
    }

    #[test]
    fn text_that_json_escapes_sixfold_still_fits() {
        let mut properties = Properties::new();
        for number in 0..200 {
            properties.push(format!("{number}"), "\u{1}".repeat(9_000));
        }
        let (how, read) = written(&mut message(&"\u{2}".repeat(40_000), properties));
        let read = read.unwrap();
        assert_eq!(how, Written::Trimmed);
        let Data::Message(data) = &read.data else {
            panic!("{read:?}")
        };
        assert!(!data.message.is_empty());
        assert!(!data.properties.is_empty());
    }

    #[test]
    fn a_monstrous_exception_keeps_its_head() {
        let frame = StackFrame {
            method: "\u{1}".repeat(1_024).into(),
            ..StackFrame::default()
        };
        let exception = ExceptionDetails {
            message: "\u{1}".repeat(40_000).into(),
            parsed_stack: vec![frame; 200],
            ..ExceptionDetails::default()
        };
        let mut measurements = Measurements::new();
        for number in 0..10_000 {
            measurements.push(number.to_string(), 1.0);
        }
        let data = ExceptionData {
            ver: 2,
            exceptions: vec![exception; 50],
            severity_level: None,
            problem_id: None,
            properties: Properties::new(),
            measurements,
        };
        let mut envelope = Envelope::new(SystemTime::UNIX_EPOCH, Data::Exception(data));
        let (how, read) = written(&mut envelope);
        assert_eq!(how, Written::Trimmed);
        assert!(read.is_some());
    }

    #[test]
    fn content_of_generative_ai_is_not_cut() {
        let mut properties = Properties::new();
        properties.push("gen_ai.input.messages", "m".repeat(200_000));
        let (how, read) = written(&mut message("hello", properties));
        assert_eq!(how, Written::Whole);
        assert_eq!(
            read.unwrap()
                .data
                .properties()
                .get("gen_ai.input.messages")
                .unwrap()
                .len(),
            200_000
        );
    }

    #[test]
    fn small_properties_go_before_long_content() {
        let mut properties = Properties::new();
        properties.push("gen_ai.input.messages", "m".repeat(200_000));
        properties.push("gen_ai.usage.input_tokens", "1234");
        let (_, read) = written(&mut message("hello", properties));
        let read = read.unwrap();
        let keys: Vec<_> = read
            .data
            .properties()
            .iter()
            .map(|(key, _)| key.to_owned())
            .collect();
        assert_eq!(keys, ["gen_ai.usage.input_tokens", "gen_ai.input.messages"]);
    }

    #[test]
    fn texts_of_a_chain_are_cut_before_its_errors_and_the_innermost_stays() {
        let chain = |errors: i64, length| {
            let error = |id| ExceptionDetails {
                id: Some(id),
                outer_id: (id > 1).then_some(id - 1),
                message: format!("{id:03} {}", "e".repeat(length)).into(),
                ..ExceptionDetails::default()
            };
            let data = ExceptionData {
                ver: 2,
                exceptions: (1..=errors).map(error).collect(),
                severity_level: None,
                problem_id: None,
                properties: Properties::new(),
                measurements: Measurements::new(),
            };
            Envelope::new(SystemTime::UNIX_EPOCH, Data::Exception(data))
        };
        for (errors, length, kept) in [(7, 10_000, 7), (200, 10_000, 4)] {
            let (how, read) = written(&mut chain(errors, length));
            let Some(Data::Exception(data)) = read.map(|read| read.data) else {
                panic!("no exception")
            };
            assert_eq!((how, data.exceptions.len()), (Written::Trimmed, kept));
            let innermost = data.exceptions.last().unwrap();
            assert!(innermost.message.starts_with(&format!("{errors:03} ")));
            let outer = data.exceptions[kept - 2].id;
            assert_eq!(innermost.outer_id, outer);
            let size: usize = data
                .exceptions
                .iter()
                .map(|error| error.message.len())
                .sum();
            assert!(size > LIMIT / 2, "{size}");
        }
    }

    #[test]
    fn a_message_of_long_characters_uses_the_whole_limit_of_the_service() {
        let (how, read) = written(&mut message(&"世".repeat(30_000), Properties::new()));
        let Some(Data::Message(data)) = read.map(|read| read.data) else {
            panic!("no message")
        };
        assert_eq!(how, Written::Trimmed);
        let characters = data.message.chars().count();
        assert!(characters > 19_000, "{characters}");
    }
}
