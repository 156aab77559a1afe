use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::limits::{truncate, truncate_option, truncate_required};
use crate::{Measurements, Properties, SeverityLevel, lenient, limits};

/// An error, with its causes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExceptionData<'a> {
    /// Version of the schema: [`SCHEMA_VERSION`](crate::SCHEMA_VERSION).
    #[serde(default = "lenient::schema_version")]
    pub ver: u8,
    /// The error, followed by its causes.
    pub exceptions: Vec<ExceptionDetails<'a>>,
    /// Severity of the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity_level: Option<SeverityLevel>,
    /// Key by which the portal groups equal errors.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub problem_id: Option<Cow<'a, str>>,
    /// Custom dimensions.
    #[serde(
        default,
        skip_serializing_if = "Properties::is_empty",
        deserialize_with = "lenient::map"
    )]
    pub properties: Properties<'a>,
    /// Custom measurements.
    #[serde(
        default,
        skip_serializing_if = "Measurements::is_empty",
        deserialize_with = "lenient::map"
    )]
    pub measurements: Measurements<'a>,
}

/// One error of a chain.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExceptionDetails<'a> {
    /// Number of this error in the chain, from 1.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::integer"
    )]
    pub id: Option<i64>,
    /// Number of the error that this one caused.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::integer"
    )]
    pub outer_id: Option<i64>,
    /// Name of the error's type.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub type_name: Option<Cow<'a, str>>,
    /// Message of the error.
    #[serde(deserialize_with = "lenient::text")]
    pub message: Cow<'a, str>,
    /// Whether the stack is complete.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_boolean"
    )]
    pub has_full_stack: Option<bool>,
    /// The stack as text.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub stack: Option<Cow<'a, str>>,
    /// The stack as frames, innermost first. A string is read as one frame.
    #[serde(skip_serializing_if = "Vec::is_empty", deserialize_with = "frames")]
    pub parsed_stack: Vec<StackFrame<'a>>,
}

/// One frame of a stack.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StackFrame<'a> {
    /// Number of the frame, from 0, innermost first.
    #[serde(deserialize_with = "level")]
    pub level: i64,
    /// The function.
    #[serde(deserialize_with = "lenient::text")]
    pub method: Cow<'a, str>,
    /// The library or program.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub assembly: Option<Cow<'a, str>>,
    /// The source file.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::optional_text"
    )]
    pub file_name: Option<Cow<'a, str>>,
    /// The line in the source file, from 1.
    #[serde(
        skip_serializing_if = "Option::is_none",
        deserialize_with = "lenient::integer"
    )]
    pub line: Option<i64>,
}

impl ExceptionData<'_> {
    pub(super) fn apply_limits(&mut self) {
        truncate_option(&mut self.problem_id, limits::SHORT_TEXT);
        for exception in &mut self.exceptions {
            exception.apply_limits();
        }
        self.measurements.apply_measurement_limits();
    }
}

impl ExceptionDetails<'_> {
    fn apply_limits(&mut self) {
        truncate_option(&mut self.type_name, limits::SHORT_TEXT);
        truncate_required(&mut self.message, limits::MESSAGE);
        truncate_option(&mut self.stack, limits::MESSAGE);
        self.parsed_stack.truncate(limits::STACK_FRAMES);
        for frame in &mut self.parsed_stack {
            truncate(&mut frame.method, limits::SHORT_TEXT);
            truncate_option(&mut frame.assembly, limits::SHORT_TEXT);
            truncate_option(&mut frame.file_name, limits::SHORT_TEXT);
        }
    }
}

fn level<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    lenient::integer(deserializer).map(Option::unwrap_or_default)
}

/// Accepts a string: OpenCensus for Python writes the stack as one text, which becomes a single frame.
fn frames<'de, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<StackFrame<'a>>, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(Vec::new()),
        Value::String(stack) => Ok(vec![StackFrame {
            method: Cow::Owned(stack),
            ..StackFrame::default()
        }]),
        frames => Vec::deserialize(frames).map_err(serde::de::Error::custom),
    }
}
