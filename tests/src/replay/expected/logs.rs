//! Log records.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::replay::expected::{Answer, context, properties};
use crate::replay::input::{Attributes, Input, Log, written};
use crate::replay::item::Item;

/// The attributes that together make an availability result.
const AVAILABILITY: [&str; 4] = [
    "microsoft.availability.id",
    "microsoft.availability.name",
    "microsoft.availability.duration",
    "microsoft.availability.success",
];

/// Lists of the messages and types of an error's causes.
const CAUSES: [&str; 2] = ["exception.cause.message", "exception.cause.type"];

/// The kind of item for a log record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The result of an availability test.
    Availability,
    /// A custom event.
    Event,
    /// An exception.
    Exception,
    /// A message.
    Message,
}

impl Kind {
    /// The kind of item for a record with these attributes.
    #[must_use]
    pub fn of(attributes: &Attributes) -> Self {
        if attributes.has_any(&["exception.type", "exception.message"]) {
            Self::Exception
        } else if attributes.has("microsoft.custom_event.name") {
            Self::Event
        } else if AVAILABILITY.iter().all(|key| attributes.has(key))
            && duration(attributes).is_some()
            && success(attributes).is_some()
        {
            Self::Availability
        } else {
            Self::Message
        }
    }
}

/// The item of a record.
pub(super) fn item(log: &Log, input: &Input) -> Item {
    let kind = Kind::of(&input.attributes);
    let mut draft = Draft::new(log, input, kind);
    match kind {
        Kind::Availability => draft.availability(),
        Kind::Event => draft.event(),
        Kind::Exception => draft.exception(),
        Kind::Message => draft.message(),
    }
    draft.finish()
}

/// A partial item.
struct Draft<'a> {
    log: &'a Log,
    input: &'a Input,
    body: Option<String>,
    event_name: Option<String>,
    answers: Vec<(&'static str, Answer)>,
    /// Custom dimensions that do not come from attributes.
    own: Vec<(&'static str, Option<String>)>,
    item: Item,
}

impl<'a> Draft<'a> {
    fn new(log: &'a Log, input: &'a Input, kind: Kind) -> Self {
        let mut answers = context::answers(input);
        answers.push(("time", time(input, kind)));
        answers.push(("", context::sample_rate(input).1));
        answers.push(("", properties::measurements_source(&input.attributes)));
        let own = [
            ("logger_name", Some(log.scope.clone())),
            ("severity_text", severity_text(log)),
        ];
        let mut item = Item::new();
        set(&mut item, "kind", format!("{kind:?}"));
        set(&mut item, "sampleRate", context::sample_rate(input).0);
        Self {
            log,
            input,
            body: body(log),
            event_name: Some(log.event_name.clone()).filter(|name| !name.is_empty()),
            answers,
            own: own.into(),
            item,
        }
    }

    fn first(&self, key: &'static str) -> Answer {
        Answer::first(&self.input.attributes, &[key])
    }

    fn level(&mut self) {
        if let Some(severity) = self.log.severity {
            set(&mut self.item, "data.severityLevel", level(severity));
        }
    }

    /// Adds text and event name as custom dimensions, where no field contains them.
    fn keep_texts(&mut self) {
        self.own.push(("message", self.body.clone()));
        self.own.push(("event_name", self.event_name.clone()));
    }

    fn exception(&mut self) {
        self.level();
        let said = self.first("exception.message");
        let stack = self.first("exception.stacktrace");
        if said.text.is_some() && said.text != self.body {
            self.own.push(("message", self.body.clone()));
        }
        self.own.push(("event_name", self.event_name.clone()));
        set(
            &mut self.item,
            "exception.hasFullStack",
            stack.text.is_some(),
        );
        let unknown = || Answer::of("Exception");
        let body = self.body.clone();
        self.answers.extend([
            (
                "exception.typeName",
                self.first("exception.type").or(unknown),
            ),
            (
                "exception.message",
                said.or(|| body.map_or_else(unknown, Answer::of)),
            ),
            ("exception.stack", stack),
            ("data.problemId", problem(&self.input.attributes)),
        ]);
        for key in CAUSES
            .into_iter()
            .filter(|key| has_texts(&self.input.attributes, key))
        {
            self.answers.push(("", Answer::none().and_from(&[key])));
        }
        if has_texts(&self.input.attributes, CAUSES[0]) {
            set(&mut self.item, "exception.id", 1);
        }
    }

    fn event(&mut self) {
        self.keep_texts();
        let name = self.first("microsoft.custom_event.name");
        self.answers.push(("data.name", cut(name, 512)));
    }

    fn availability(&mut self) {
        self.keep_texts();
        set(
            &mut self.item,
            "data.success",
            success(&self.input.attributes),
        );
        let message = self.first("microsoft.availability.message");
        self.answers.extend([
            ("data.id", self.first("microsoft.availability.id")),
            ("data.name", self.first("microsoft.availability.name")),
            (
                "data.duration",
                self.first("microsoft.availability.duration"),
            ),
            ("", self.first("microsoft.availability.success")),
            (
                "data.runLocation",
                self.first("microsoft.availability.runLocation"),
            ),
            ("data.message", cut(message, 8192)),
        ]);
    }

    fn message(&mut self) {
        self.level();
        let name = self.event_name.clone();
        let text = self.body.clone().or_else(|| name.clone());
        let text = text.unwrap_or_else(|| "n/a".to_owned());
        self.answers.push(("data.message", Answer::of(text)));
        self.own
            .push(("event_name", name.filter(|_| self.body.is_some())));
    }

    fn finish(mut self) -> Item {
        let used: BTreeSet<&str> = self
            .answers
            .iter()
            .flat_map(|(_, answer)| answer.from.clone())
            .collect();
        for (field, answer) in self.answers.iter().filter(|(field, _)| !field.is_empty()) {
            if let Some(text) = &answer.text {
                set(&mut self.item, field, text.as_str());
            }
        }
        for (key, value) in self.own {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                set(&mut self.item, &format!("properties.{key}"), value);
            }
        }
        properties::add_measurements(&mut self.item, &self.input.attributes);
        properties::add(&mut self.item, &self.input.attributes, &used);
        self.item
    }
}

fn cut(answer: Answer, limit: usize) -> Answer {
    answer.map(|text| text.chars().take(limit).collect())
}

fn has_texts(attributes: &Attributes, key: &str) -> bool {
    let items = attributes.value(key).and_then(Value::as_array);
    items.is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_string))
}

fn set(item: &mut Item, field: &str, value: impl Into<Value>) {
    item.insert(field.to_owned(), value.into());
}

/// The time of the record; for an availability test, the time of its run.
fn time(input: &Input, kind: Kind) -> Answer {
    let key = "microsoft.availability.testTimestamp";
    let tested = Answer::first(&input.attributes, &[key]);
    let parsed = tested
        .text
        .as_deref()
        .and_then(|time| time.parse::<jiff::Timestamp>().ok());
    match parsed {
        Some(time) if kind == Kind::Availability => tested.map(|_| format!("{time:.6}")),
        _ => Answer::of(context::time(input.start)),
    }
}

/// The text, or structured data as JSON. A blank text is absent.
fn body(log: &Log) -> Option<String> {
    let text = match &log.body {
        Value::Null => return None,
        Value::Object(_) => log.body.to_string(),
        Value::Array(items) if items.iter().any(|item| item.is_array() || item.is_object()) => {
            log.body.to_string()
        }
        other => written(other),
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

/// The level of a severity: four severities per level, except eight for the lowest.
fn level(severity: u64) -> u64 {
    match severity {
        0..=8 => 0,
        _ => ((severity - 1) / 4 - 1).min(4),
    }
}

fn severity_text(log: &Log) -> Option<String> {
    let names = ["INFO", "WARN", "ERROR", "FATAL"];
    let said = log
        .severity
        .filter(|number| (9..=24).contains(number))
        .map(|number| {
            let name = names[usize::try_from((number - 9) / 4).unwrap_or_default()];
            match (number - 9) % 4 {
                0 => name.to_owned(),
                more => format!("{name}{}", more + 1),
            }
        });
    let text = log.severity_text.clone();
    Some(text).filter(|text| said.is_none_or(|said| !said.eq_ignore_ascii_case(text)))
}

/// Type and place of the problem, which are also custom dimensions.
fn problem(attributes: &Attributes) -> Answer {
    let kind = attributes
        .text("exception.type")
        .unwrap_or_else(|| "Exception".to_owned());
    let Some(file) = attributes.text("code.file.path") else {
        return Answer::none();
    };
    Answer::of(match attributes.text("code.line.number") {
        Some(line) => format!("{kind} at {file}:{line}"),
        None => format!("{kind} at {file}"),
    })
}

fn duration(attributes: &Attributes) -> Option<azmon::envelope::TimeSpan> {
    attributes
        .text("microsoft.availability.duration")?
        .parse()
        .ok()
}

fn success(attributes: &Attributes) -> Option<bool> {
    match attributes
        .text("microsoft.availability.success")?
        .to_ascii_lowercase()
        .as_str()
    {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}
