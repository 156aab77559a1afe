//! A recorded input, parsed independently of the mapping.

use std::collections::BTreeMap;

use serde_json::Value;

/// Attributes of a span, an event, a link or a resource.
#[derive(Debug, Clone, Default)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    fn of(fields: &Value) -> Self {
        let pairs = fields.as_object().into_iter().flatten();
        let known = pairs.filter(|(_, value)| !value.is_null());
        Self(
            known
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }

    /// All attributes.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The value of a key, unchanged.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// The value of a key if a field can use it: neither empty nor an array.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        let value = self.0.get(key).filter(|value| !value.is_array())?;
        Some(written(value)).filter(|text| !text.is_empty())
    }

    /// Whether a field can use the key's value.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.text(key).is_some()
    }

    /// Whether a field can use the value of any of the keys.
    #[must_use]
    pub fn has_any(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.has(key))
    }

    /// A number, which may be recorded as a text.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.0.get(key)? {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }
}

/// An event of a span.
#[derive(Debug, Clone)]
pub struct Event {
    /// The name of the event.
    pub name: String,
    /// The time, in nanoseconds since 1970.
    pub time: i64,
    /// The attributes of the event.
    pub attributes: Attributes,
}

/// A link of a span.
#[derive(Debug, Clone)]
pub struct Link {
    /// The linked trace, in hexadecimal digits.
    pub trace_id: String,
    /// The linked span, in hexadecimal digits.
    pub span_id: String,
    /// The attributes of the link.
    pub attributes: Attributes,
}

/// A recorded span or log record.
#[derive(Debug, Clone)]
pub struct Input {
    /// `SERVER`, `CLIENT`, `PRODUCER`, `CONSUMER` or `INTERNAL`.
    pub kind: String,
    /// Name of the span.
    pub name: String,
    /// `UNSET`, `OK` or `ERROR`.
    pub status: String,
    /// The description of the status.
    pub message: String,
    /// The attributes.
    pub attributes: Attributes,
    /// The attributes of the resource.
    pub resource: Attributes,
    /// The events.
    pub events: Vec<Event>,
    /// The links.
    pub links: Vec<Link>,
    /// Trace, in hexadecimal digits.
    pub trace_id: String,
    /// Span, in hexadecimal digits.
    pub span_id: String,
    /// Parent span, if there is one.
    pub parent: Option<String>,
    /// Start, in nanoseconds since 1970.
    pub start: i64,
    /// End, in nanoseconds since 1970.
    pub end: i64,
    /// The data of a log record. Its span is the parent, and its time the start.
    pub log: Option<Log>,
}

/// The fields of a recorded log record that a span does not have.
#[derive(Debug, Clone)]
pub struct Log {
    /// The body: text or structured data.
    pub body: Value,
    /// The severity number, from 1 to 24.
    pub severity: Option<u64>,
    /// The severity text of the logging library.
    pub severity_text: String,
    /// The event name.
    pub event_name: String,
    /// The name of the logger.
    pub scope: String,
}

impl Input {
    /// Reads an input.
    #[must_use]
    pub fn of(input: &Value) -> Self {
        let list = |key: &str| input[key].as_array().cloned().unwrap_or_default();
        let log = Log::of(input);
        let parent = match &log {
            Some(_) => &input["span_id"],
            None => &input["parent"]["span_id"],
        };
        let times = ["start_ns", "timestamp_ns", "observed_ns"];
        let start = times.iter().find_map(|key| input[key].as_i64());
        Self {
            kind: text(&input["kind"]),
            name: text(&input["name"]),
            status: text(&input["status"]["code"]),
            message: text(&input["status"]["message"]),
            attributes: Attributes::of(&input["attributes"]),
            resource: Attributes::of(&input["resource"]),
            events: list("events").iter().map(Event::of).collect(),
            links: list("links").iter().map(Link::of).collect(),
            trace_id: text(&input["trace_id"]),
            span_id: text(&input["span_id"]),
            parent: Some(text(parent)).filter(|id| is_valid_id(id)),
            start: start.unwrap_or_default(),
            end: input["end_ns"].as_i64().unwrap_or_default(),
            log,
        }
    }

    /// Whether the span becomes a request rather than a dependency.
    #[must_use]
    pub fn is_request(&self) -> bool {
        self.kind == "SERVER" || self.kind == "CONSUMER"
    }
}

impl Log {
    fn of(input: &Value) -> Option<Self> {
        Some(Self {
            body: input.get("body")?.clone(),
            severity: input["severity_number"].as_u64(),
            severity_text: text(&input["severity_text"]),
            event_name: text(&input["event_name"]),
            scope: text(&input["scope"]),
        })
    }
}

impl Event {
    fn of(event: &Value) -> Self {
        Self {
            name: text(&event["name"]),
            time: event["ts_ns"].as_i64().unwrap_or_default(),
            attributes: Attributes::of(&event["attributes"]),
        }
    }

    /// Whether the event becomes an exception rather than a message.
    #[must_use]
    pub fn is_exception(&self) -> bool {
        self.name == "exception"
    }
}

impl Link {
    fn of(link: &Value) -> Self {
        Self {
            trace_id: text(&link["trace_id"]),
            span_id: text(&link["span_id"]),
            attributes: Attributes::of(&link["attributes"]),
        }
    }
}

/// Whether an id is neither empty nor all zeros.
#[must_use]
pub fn is_valid_id(id: &str) -> bool {
    id.bytes().any(|digit| digit != b'0')
}

/// The text of a value as a custom dimension.
#[must_use]
pub fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => integer.to_string(),
            (None, Some(float)) => float_written(float),
            (None, None) => number.to_string(),
        },
        Value::Array(items) => {
            let is_mixed =
                !items.iter().all(Value::is_boolean) && !items.iter().all(Value::is_number);
            let item = |item: &Value| match item {
                Value::Number(_) | Value::Bool(_) if !is_mixed => written(item),
                Value::String(text) => Value::from(text.as_str()).to_string(),
                other => Value::from(other.to_string()).to_string(),
            };
            let items: Vec<_> = items.iter().map(item).collect();
            format!("[{}]", items.join(","))
        }
        other => other.to_string(),
    }
}

/// ECMAScript's `Number::toString`: the fewest digits that identify the number, even digits in a tie.
fn float_written(number: f64) -> String {
    let shortest = (0..17)
        .map(|precision| format!("{number:.precision$e}"))
        .find(|text| text.parse() == Ok(number))
        .unwrap_or_default();
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let sign = if number < 0.0 { "-" } else { "" };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    // The position of the decimal point.
    let point = exponent.parse().unwrap_or(0_isize) + 1;
    match usize::try_from(point) {
        _ if number == 0.0 => "0".to_owned(),
        Ok(point @ 1..=21) if digits.len() <= point => format!("{sign}{digits:0<point$}"),
        Ok(point @ 1..=21) => {
            let (whole, fraction) = digits.split_at(point);
            format!("{sign}{whole}.{fraction}")
        }
        _ if (-5..=0).contains(&point) => {
            let zeros = "0".repeat(point.unsigned_abs());
            format!("{sign}0.{zeros}{digits}")
        }
        Ok(_) => format!("{mantissa}e+{exponent}"),
        Err(_) => format!("{mantissa}e{exponent}"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_ecmascript_says() {
        for (number, expected) in [
            (1.0 / 3.0, "0.3333333333333333"),
            (-0.0, "0"),
            (100.0, "100"),
            (0.000_001, "0.000001"),
            (1e-7, "1e-7"),
            (1.5e21, "1.5e+21"),
            (123_456_789_012_345_680_000.0, "123456789012345680000"),
            (5e-324, "5e-324"),
        ] {
            assert_eq!(float_written(number), expected);
        }
    }
}
