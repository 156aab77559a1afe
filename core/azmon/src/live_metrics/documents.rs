//! Samples: what is sent of an item that matches.

use std::time::SystemTime;

use crate::envelope::{Data, Envelope, ExceptionData, Properties, tags};
use crate::live_metrics::duration::iso8601;
use crate::live_metrics::subject::{severity, stack};
use crate::live_metrics::wire::{Document, Pair};

/// Most characters of a text.
const MAX_TEXT: usize = 32_768;
/// Most properties.
const MAX_PROPERTIES: usize = 10;
/// A dependency's property of this name is sent besides the others.
const ERROR_MESSAGE: &str = "ErrorMessage";

pub(super) fn document(envelope: &Envelope<'_>, stream_ids: Vec<String>) -> Document {
    let common = Document {
        document_stream_ids: stream_ids,
        timestamp: rfc3339(envelope.time),
        operation_id: tag(envelope, tags::OPERATION_ID),
        operation_name: tag(envelope, tags::OPERATION_NAME),
        properties: properties(envelope),
        ..Document::default()
    };
    let owned = |text: Option<&str>| text.map(cut);
    match &envelope.data {
        Data::Request(data) => Document {
            document_type: "Request".to_owned(),
            name: Some(cut(&data.name)),
            url: Some(cut(data.url.as_deref().unwrap_or_default())),
            response_code: Some(cut(&data.response_code)),
            duration: Some(iso8601(data.duration.0)),
            success: Some(data.success),
            ..common
        },
        Data::RemoteDependency(data) => Document {
            document_type: "RemoteDependency".to_owned(),
            name: Some(cut(&data.name)),
            command_name: Some(cut(data.data.as_deref().unwrap_or_default())),
            result_code: Some(cut(data.result_code.as_deref().unwrap_or_default())),
            duration: Some(iso8601(data.duration.0)),
            success: Some(data.success),
            target: owned(data.target.as_deref()),
            dependency_type_name: owned(data.dependency_type.as_deref()),
            ..common
        },
        Data::Exception(data) => {
            let first = data.exceptions.first();
            Document {
                document_type: "Exception".to_owned(),
                exception_type: Some(cut(first
                    .and_then(|error| error.type_name.as_deref())
                    .unwrap_or_default())),
                exception_message: Some(cut(&messages(data))),
                exception: Some(cut(&stack(data))).filter(|text| !text.is_empty()),
                severity_level: data.severity_level.map(|level| severity(level).to_owned()),
                ..common
            }
        }
        Data::Message(data) => Document {
            document_type: "Trace".to_owned(),
            message: Some(cut(&data.message)),
            severity_level: data.severity_level.map(|level| severity(level).to_owned()),
            ..common
        },
        Data::Event(data) => Document {
            document_type: "Event".to_owned(),
            name: Some(cut(&data.name)),
            ..common
        },
        Data::Metric(_) | Data::Availability(_) | Data::PageView(_) | Data::PageViewPerf(_) => {
            common
        }
    }
}

/// A time as text; one that no calendar knows is an empty one.
pub(super) fn rfc3339(time: SystemTime) -> String {
    jiff::Timestamp::try_from(time)
        .map(|time| format!("{time:.6}"))
        .unwrap_or_default()
}

/// The messages of an error and its causes, each once.
fn messages(data: &ExceptionData<'_>) -> String {
    let mut all: Vec<&str> = Vec::new();
    for error in &data.exceptions {
        if !all.contains(&&*error.message) {
            all.push(&error.message);
        }
    }
    all.join(" <--- ")
}

/// The first ten by key, compared as bytes; keys that are the same after they were cut count once.
fn properties(envelope: &Envelope<'_>) -> Vec<Pair> {
    let all: &Properties<'_> = envelope.data.properties();
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    let mut pairs: Vec<Pair> = Vec::with_capacity(sorted.len().min(MAX_PROPERTIES + 1));
    for (key, value) in sorted {
        let key = cut(key);
        if pairs.len() < MAX_PROPERTIES && pairs.iter().all(|pair| pair.key != key) {
            pairs.push(Pair {
                key,
                value: cut(value),
            });
        }
    }
    if let (Data::RemoteDependency(_), Some(message)) = (&envelope.data, all.get(ERROR_MESSAGE))
        && pairs.iter().all(|pair| pair.key != ERROR_MESSAGE)
    {
        pairs.push(Pair::new(ERROR_MESSAGE, &cut(message)));
    }
    pairs
}

fn tag(envelope: &Envelope<'_>, tag: &str) -> Option<String> {
    envelope.tags.get(tag).map(|text| cut(text))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => text.get(..end).unwrap_or_default().to_owned(),
        None => text.to_owned(),
    }
}
