//! The recommended rules, applied to an input independently of the mapping.
//!
//! Each field has a function that returns its text and the attributes that the text comes from. Exactly these
//! attributes are missing in the custom dimensions. The code favours clarity over speed.

mod answer;
mod call;
mod context;
mod events;
mod http;
mod limits;
mod logs;
mod network;
mod properties;
mod request;

pub use self::answer::Answer;
pub use self::call::{Call, default_database_port};
pub use self::http::{composed_url, path_of, split_url};
pub use self::logs::Kind;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::replay::input::Input;
use crate::replay::item::Item;

/// The items of an input: one for the span and one for each event, or one for the log record.
#[must_use]
pub fn items(input: &Input) -> Vec<Item> {
    if let Some(log) = &input.log {
        let mut item = logs::item(log, input);
        limits::apply(&mut item);
        return vec![item];
    }
    let answers = answers(input);
    let used: BTreeSet<&str> = answers
        .iter()
        .flat_map(|(_, answer)| answer.from.clone())
        .collect();
    let mut span = Item::new();
    for (field, answer) in answers {
        if let Some(text) = answer.text {
            span.insert(field.to_owned(), Value::from(text));
        }
    }
    let kind = if input.is_request() {
        "Request"
    } else {
        "RemoteDependency"
    };
    span.insert("kind".to_owned(), Value::from(kind));
    span.insert(
        "data.success".to_owned(),
        Value::from(request::success(input)),
    );
    span.insert(
        "sampleRate".to_owned(),
        Value::from(context::sample_rate(input).0),
    );
    properties::add_measurements(&mut span, &input.attributes);
    if let Some(waited) = properties::time_since_enqueued(input) {
        span.insert(
            "measurements.timeSinceEnqueued".to_owned(),
            Value::from(waited),
        );
    }
    let events: Vec<_> = input
        .events
        .iter()
        .map(|event| events::item(event, input, &span))
        .collect();
    properties::add_of_span(&mut span, input, &used);
    let mut items = vec![span];
    items.extend(events);
    items.iter_mut().for_each(limits::apply);
    items
}

/// The text fields of the span's item.
fn answers(input: &Input) -> Vec<(&'static str, Answer)> {
    let mut answers = context::answers(input);
    answers.extend([
        ("time", Answer::of(context::time(input.start))),
        ("data.id", Answer::of(&input.span_id)),
        ("data.duration", Answer::of(request::duration(input))),
    ]);
    answers.extend(if input.is_request() {
        vec![
            ("data.name", request::name(input)),
            (
                "data.responseCode",
                request::result_code(input, "microsoft.request.resultCode"),
            ),
            ("data.url", request::url(input)),
            ("data.source", request::source(input)),
        ]
    } else {
        vec![
            ("data.name", call::name(input)),
            (
                "data.resultCode",
                request::result_code(input, "microsoft.dependency.resultCode"),
            ),
            ("data.type", call::dependency_type(input)),
            ("data.target", call::target(input)),
            ("data.data", call::data(input)),
        ]
    });
    answers.push(("", context::sample_rate(input).1));
    answers.push(("", properties::measurements_source(&input.attributes)));
    answers
}
