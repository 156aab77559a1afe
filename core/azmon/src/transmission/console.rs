use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::Write;

use crate::envelope::{Data, Envelope, tags};
use crate::item::TelemetryType;

/// Prints sent items, one line each, for people.
///
/// It receives the items of the other destinations, mapped and cut to the limits, so printing needs no second mapping.
pub(crate) struct Console {
    writer: Box<dyn Write + Send>,
    line: String,
}

impl Console {
    pub(crate) fn new(writer: impl Write + Send + 'static) -> Self {
        Self {
            writer: Box::new(writer),
            line: String::new(),
        }
    }

    /// Writes the item. A closed console must not stop anything else.
    pub(super) fn show(&mut self, envelope: &Envelope<'_>) {
        self.line.clear();
        // Writing to memory does not fail.
        let _ = describe(envelope, &mut self.line);
        one_line(&mut self.line);
        let _ = self.writer.write_all(self.line.as_bytes());
        let _ = self.writer.flush();
    }
}

/// `time TYPE description [operation/parent] {key=value, key=value}`
fn describe(envelope: &Envelope<'_>, to: &mut String) -> fmt::Result {
    if let Ok(time) = jiff::Timestamp::try_from(envelope.time) {
        write!(to, "{time:.3} ")?;
    }
    write!(to, "{:<13}", TelemetryType::of(envelope).as_str())?;
    describe_data(&envelope.data, to)?;
    if let Some(operation) = envelope.tags.get(tags::OPERATION_ID) {
        let parent = envelope.tags.get(tags::OPERATION_PARENT_ID);
        let parent = parent.map_or("-", Cow::as_ref);
        write!(to, " [{operation}/{parent}]")?;
    }
    let properties = envelope.data.properties();
    for (number, (key, value)) in properties.iter().enumerate() {
        let before = if number == 0 { " {" } else { ", " };
        write!(to, "{before}{key}={value}")?;
    }
    if !properties.is_empty() {
        to.push('}');
    }
    Ok(())
}

fn describe_data(data: &Data<'_>, to: &mut String) -> fmt::Result {
    match data {
        Data::Request(data) => {
            let (code, outcome) = (&data.response_code, outcome(data.success));
            write!(to, " {} {code} {outcome} {:?}", data.name, data.duration.0)
        }
        Data::RemoteDependency(data) => {
            let kind = data.dependency_type.as_deref().unwrap_or("-");
            let target = data.target.as_deref().unwrap_or("-");
            let code = data.result_code.as_deref().unwrap_or("-");
            let (name, outcome) = (&data.name, outcome(data.success));
            write!(
                to,
                " {name} {kind} {target} {code} {outcome} {:?}",
                data.duration.0
            )
        }
        Data::Exception(data) => match data.exceptions.first() {
            Some(first) => {
                let name = first.type_name.as_deref().unwrap_or("-");
                write!(to, " {name}: {}", first.message)
            }
            None => Ok(()),
        },
        Data::Message(data) => match data.severity_level {
            Some(severity) => write!(to, " {severity:?} {}", data.message),
            None => write!(to, " {}", data.message),
        },
        Data::Event(data) => write!(to, " {}", data.name),
        Data::Availability(data) => {
            write!(
                to,
                " {} {} {:?}",
                data.name,
                outcome(data.success),
                data.duration.0
            )
        }
        Data::PageView(data) => write!(to, " {}", data.name),
        Data::PageViewPerf(data) => write!(to, " {}", data.page.name),
        Data::Metric(data) => data.metrics.iter().try_for_each(|point| {
            write!(to, " {} = {}", point.name, point.value)?;
            let numbers = [
                ("min", point.min),
                ("max", point.max),
                ("std dev", point.std_dev),
            ];
            let count = point.count.map(|count| ("count", count as f64));
            let numbers = numbers
                .into_iter()
                .filter_map(|(name, number)| Some((name, number?)));
            count
                .into_iter()
                .chain(numbers)
                .try_for_each(|(name, number)| write!(to, ", {name} {number}"))
        }),
    }
}

fn outcome(success: bool) -> &'static str {
    if success { "ok" } else { "failed" }
}

/// A text of several lines, such as a message or a statement, must not look like several items. Control characters must
/// not reach the terminal.
fn one_line(line: &mut String) {
    if line.contains(char::is_control) {
        *line = line
            .chars()
            .fold(String::with_capacity(line.len() + 8), escaped);
    }
    line.push('\n');
}

fn escaped(mut text: String, character: char) -> String {
    if character.is_control() {
        text.extend(character.escape_default());
    } else {
        text.push(character);
    }
    text
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Console")
    }
}
