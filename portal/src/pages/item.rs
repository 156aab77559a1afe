use askama::Template;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::Response;
use azmon_envelope::{Data, ExceptionDetails, Properties, StackFrame};
use serde_json::Value;

use crate::pages::format::Moment;
use crate::pages::json::pretty;
use crate::pages::layout::{Layout, show, show_missing};
use crate::pages::row::Row;
use crate::server::{ApiError, Context};
use crate::store::Item;

#[derive(Debug, Template)]
#[template(path = "item.html")]
struct ItemPage {
    layout: Layout,
    row: Row,
    name: String,
    received: Moment,
    causes: Vec<Cause>,
    sections: Vec<Section>,
    json: String,
}

/// A table of names and values.
#[derive(Debug)]
struct Section {
    heading: &'static str,
    fields: Vec<Field>,
}

type Field = (String, String);

/// One error of an exception.
#[derive(Debug)]
struct Cause {
    type_name: String,
    message: String,
    stack: String,
}

/// Everything about one item.
pub(super) async fn page(
    State(context): State<Context>,
    id: Result<Path<u64>, PathRejection>,
) -> Result<Response, ApiError> {
    let item = id.ok().and_then(|Path(id)| context.store.find(id));
    let Some(item) = item else {
        return show_missing(&context, "This item is not here");
    };
    let name = item.name().into_owned();
    let title = format!("{} {name}", item.kind().label());
    show(&ItemPage {
        layout: Layout::new(title, &context.store.statistics()),
        row: Row::new(&item),
        name,
        received: Moment::new(item.received()),
        causes: causes(&item.envelope().data),
        sections: sections(&item),
        json: pretty(item.json()),
    })
}

fn sections(item: &Item) -> Vec<Section> {
    // Unknown fields are shown too, so this is what was sent, not what was read. It is null for what is nested too deep.
    let sent: Value = serde_json::from_str(item.json()).unwrap_or_default();
    let payload = &sent["data"]["baseData"];
    let metrics = payload["metrics"].as_array().into_iter().flatten();
    let envelope = item.envelope();
    let sections = [
        ("Fields", fields(payload, &PAYLOAD_PARTS)),
        (
            "Values",
            metrics.flat_map(|point| fields(point, &[])).collect(),
        ),
        ("Custom dimensions", texts(envelope.data.properties())),
        ("Custom measurements", fields(&payload["measurements"], &[])),
        ("Context", texts(&envelope.tags)),
        ("Envelope", fields(&sent, &["data", "tags"])),
    ];
    sections
        .into_iter()
        .filter(|(_, fields)| !fields.is_empty())
        .map(|(heading, fields)| Section { heading, fields })
        .collect()
}

/// What has a section of its own, or says nothing.
const PAYLOAD_PARTS: [&str; 5] = ["exceptions", "measurements", "metrics", "properties", "ver"];

fn fields(object: &Value, except: &[&str]) -> Vec<Field> {
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter(|(key, value)| !value.is_null() && !except.contains(&key.as_str()))
        .map(|(key, value)| match value {
            Value::String(text) => (key.clone(), text.clone()),
            other => (key.clone(), other.to_string()),
        })
        .collect()
}

fn texts(map: &Properties<'_>) -> Vec<Field> {
    map.iter()
        .map(|(key, value)| (key.to_owned(), value.to_string()))
        .collect()
}

fn causes(data: &Data<'_>) -> Vec<Cause> {
    match data {
        Data::Exception(data) => data.exceptions.iter().map(Cause::new).collect(),
        _ => Vec::new(),
    }
}

impl Cause {
    fn new(details: &ExceptionDetails<'_>) -> Self {
        let stack = match details.stack.as_deref() {
            Some(stack) if !stack.is_empty() => stack.to_owned(),
            _ => details
                .parsed_stack
                .iter()
                .map(frame)
                .collect::<Vec<_>>()
                .join("\n"),
        };
        Self {
            type_name: details.type_name.as_deref().unwrap_or("Error").to_owned(),
            message: details.message.to_string(),
            stack,
        }
    }
}

fn frame(frame: &StackFrame<'_>) -> String {
    let mut text = frame.method.to_string();
    if let Some(file) = frame.file_name.as_deref() {
        text = format!("{text}  {file}");
    }
    if let Some(line) = frame.line {
        text = format!("{text}:{line}");
    }
    text
}
