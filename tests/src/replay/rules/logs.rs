//! Log records.

use crate::replay::expected::Kind;
use crate::replay::input::Log;
use crate::replay::rule::{Difference, Rule};

pub(super) const RULES: &[Rule] = &[
    Rule {
        field: "properties.message",
        when: |d| log(d).is_some_and(|log| !log.body.is_null()) && kind(d) != Kind::Message,
        reason: "the text of a record that became something else than a message is not lost",
    },
    Rule {
        field: "properties.event_name",
        when: |d| log(d).is_some_and(|log| !log.event_name.is_empty()),
        reason: "the event's name is not lost",
    },
    Rule {
        field: "properties.severity_text",
        when: |d| log(d).is_some_and(|log| !log.severity_text.is_empty()),
        reason: "the severity's text is kept where it says more than the level",
    },
    Rule {
        field: "properties.logger_name",
        when: |d| log(d).is_some_and(|log| log.scope.is_empty()) || has(d, "logger_name"),
        reason: "a logger without a name has none, and an attribute of that name wins",
    },
    Rule {
        field: "data.message",
        when: |d| log(d).is_some_and(|log| !log.event_name.is_empty()),
        reason: "a record without a text has the event's name as message",
    },
    Rule {
        field: "data.message",
        when: |d| log(d).is_some_and(|log| log.body.is_object() || log.body.is_array()),
        reason: "data is compact JSON; OpenTelemetry's maps have no order, so the keys are sorted",
    },
    Rule {
        field: "data.name",
        when: |d| {
            let name = d.attributes().text("microsoft.custom_event.name");
            name.is_some_and(|name| name.chars().count() > 512)
        },
        reason: "the service takes 512 characters of an event's name",
    },
    Rule {
        field: "data.message",
        when: |d| has(d, "microsoft.availability.message"),
        reason: "the service takes 8192 characters of a test's message",
    },
    Rule {
        field: "time",
        when: |d| has(d, "microsoft.availability.testTimestamp"),
        reason: "a test says when it ran, as in .NET",
    },
    Rule {
        field: "*",
        when: |d| {
            let parts = ["duration", "success"];
            let has_part = |part| has(d, &format!("microsoft.availability.{part}"));
            kind(d) == Kind::Message && parts.into_iter().any(has_part)
        },
        reason: "a result that cannot be read is a message: nothing is made up",
    },
    Rule {
        field: "exception.message",
        when: |d| has(d, "exception.message") && !has(d, "exception.type"),
        reason: "an exception without a type has its own message all the same: the record's text stays beside it",
    },
    Rule {
        field: "exception.id",
        when: |d| d.attributes().value("exception.cause.message").is_some(),
        reason: "causes are inner exceptions, and numbered",
    },
    Rule {
        field: "data.problemId",
        when: |d| kind(d) == Kind::Exception && has(d, "code.file.path"),
        reason: "without a stack, type and place group equal errors",
    },
    Rule {
        field: "data.severityLevel",
        when: |d| log(d).is_some_and(|log| log.severity.is_none()),
        reason: "a record without a severity has none",
    },
];

fn log<'a>(difference: &Difference<'a>) -> Option<&'a Log> {
    difference.input.log.as_ref()
}

fn kind(difference: &Difference<'_>) -> Kind {
    Kind::of(difference.attributes())
}

fn has(difference: &Difference<'_>, key: &str) -> bool {
    log(difference).is_some() && difference.attributes().has(key)
}
