//! Words of an item for full-text search.

use azmon_envelope::{Data, Envelope, tags};
use hashbrown::HashSet;

/// The maximum number of distinct indexed words of an item.
const MAX_WORDS: usize = 400;
/// The maximum length of an indexed word, in bytes; longer words are encoded data.
const MAX_LENGTH: usize = 64;

/// Distinct words in lower case, separated by spaces, without the operation and span ids, which have their own
/// index.
pub(super) fn of(envelope: &Envelope<'_>) -> String {
    let mut texts = Vec::with_capacity(16);
    visit(envelope, &mut |text| texts.push(text.to_lowercase()));
    let words = texts.iter().flat_map(|text| split(text));
    distinct(words.filter(|word| word.len() <= MAX_LENGTH), MAX_WORDS).join(" ")
}

/// Visits every text of an item that a word search covers.
pub(crate) fn visit<'a>(envelope: &'a Envelope<'_>, see: &mut dyn FnMut(&'a str)) {
    for key in [
        tags::CLOUD_ROLE,
        tags::CLOUD_ROLE_INSTANCE,
        tags::OPERATION_NAME,
        tags::USER_ID,
        tags::USER_AUTH_USER_ID,
        tags::SESSION_ID,
        tags::APPLICATION_VERSION,
    ] {
        if let Some(value) = envelope.tags.get(key) {
            see(value);
        }
    }
    let mut optional = |text: &'a Option<std::borrow::Cow<'_, str>>| {
        if let Some(text) = text {
            see(text);
        }
    };
    match &envelope.data {
        Data::Request(data) => {
            optional(&data.url);
            optional(&data.source);
            see(&data.name);
            see(&data.response_code);
        }
        Data::RemoteDependency(data) => {
            optional(&data.target);
            optional(&data.dependency_type);
            optional(&data.data);
            optional(&data.result_code);
            see(&data.name);
        }
        Data::Exception(data) => {
            optional(&data.problem_id);
            for cause in &data.exceptions {
                if let Some(name) = &cause.type_name {
                    see(name);
                }
                see(&cause.message);
                for frame in cause.parsed_stack.iter().take(20) {
                    see(&frame.method);
                }
            }
        }
        Data::Message(data) => see(&data.message),
        Data::Event(data) => see(&data.name),
        Data::Metric(data) => data.metrics.iter().for_each(|point| see(&point.name)),
        Data::Availability(data) => {
            optional(&data.message);
            optional(&data.run_location);
            see(&data.name);
        }
        Data::PageView(data) => {
            optional(&data.url);
            see(&data.name);
        }
        Data::PageViewPerf(data) => {
            optional(&data.page.url);
            see(&data.page.name);
        }
    }
    for (key, value) in envelope.data.properties().iter() {
        see(key);
        see(value);
    }
}

/// The words of a text: runs of letters and digits.
pub(crate) fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

/// Distinct texts in their original order.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let mut seen = HashSet::new();
    texts.filter(|text| seen.insert(*text)).take(most).collect()
}
