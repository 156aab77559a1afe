//! The text that `anyhow` and `eyre` write for `{:?}`: the message, then sections under headings.
//!
//! ```text
//! the order is lost
//!
//! Caused by:
//!     0: the quantity is no number
//!     1: invalid digit found in string
//!
//! Location:
//!     src/orders.rs:41:9
//!
//! Stack backtrace:
//!    0: shop::orders::parse
//! ```

use std::error::Error;

use super::type_name;

const CAUSES: &str = "Caused by:";
const STACKS: [&str; 2] = ["Stack backtrace:", "Backtrace:"];
const LOCATION: &str = "Location:";

/// Maximum number of causes; a chain may be very long or cyclic.
pub(super) const MAX_CAUSES: usize = 16;

/// One error of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) type_name: String,
    pub(super) message: String,
}

impl Link {
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        Self {
            type_name: type_name::of(error),
            message: error.to_string(),
        }
    }
}

/// The parts of a text.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) outer: Link,
    pub(super) causes: Vec<Link>,
    pub(super) stack: Option<String>,
}

pub(super) fn parse(text: &str) -> Report {
    let (message, sections) = split(text);
    let mut chain = Report {
        outer: link(message),
        causes: Vec::new(),
        stack: None,
    };
    for (heading, lines) in sections {
        if heading == CAUSES {
            chain.causes = causes(&lines);
        } else if STACKS.contains(&heading) {
            chain.stack = Some(lines.join("\n"));
        }
    }
    chain
}

/// The text before the first heading, and each heading with its lines.
fn split(text: &str) -> (&str, Vec<(&str, Vec<&str>)>) {
    let mut sections: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut message = text.len();
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        let heading = line.trim_end();
        if heading == CAUSES || heading == LOCATION || STACKS.contains(&heading) {
            message = message.min(place);
            sections.push((heading, Vec::new()));
        } else if let Some((_, lines)) = sections.last_mut() {
            lines.push(line.trim_end());
        }
        place += line.len();
    }
    (text.get(..message).unwrap_or(text), sections)
}

/// Numbered causes, or a single unnumbered one; a cause may span several lines.
fn causes(lines: &[&str]) -> Vec<Link> {
    let mut causes: Vec<String> = Vec::new();
    for line in lines
        .iter()
        .map(|line| line.trim())
        .filter(|line| !line.is_empty())
    {
        match (numbered(line, causes.len()), causes.last_mut()) {
            (Some(message), _) => causes.push(message.to_owned()),
            (None, Some(last)) => {
                last.push('\n');
                last.push_str(line);
            }
            (None, None) => causes.push(line.to_owned()),
        }
    }
    let causes = causes.iter().take(MAX_CAUSES);
    causes.map(|cause| link(cause)).collect()
}

/// The text of a line that begins with this number.
fn numbered(line: &str, number: usize) -> Option<&str> {
    let (digits, message) = line.split_once(": ")?;
    (digits.parse() == Ok(number)).then_some(message)
}

fn link(message: &str) -> Link {
    let message = message.trim();
    // A single word may be a name or a message.
    let name = type_name::of_debug(message).filter(|name| name.len() < message.len());
    Link {
        type_name: name.unwrap_or(type_name::UNKNOWN).to_owned(),
        message: message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(report: &Report) -> Vec<&str> {
        let causes = report.causes.iter();
        causes.map(|cause| &*cause.message).collect()
    }

    #[test]
    fn sections_are_told_apart() {
        let text = "lost\n\nCaused by:\n    0: a: b\n       more\n    1: c\n\nLocation:\n    \
                    src/x.rs:1:2\n\nStack backtrace:\n   0: shop::f\n             at src/x.rs:1:2\n";
        let chain = parse(text);
        assert_eq!(chain.outer.message, "lost");
        assert_eq!(messages(&chain), ["a: b\nmore", "c"]);
        let stack = "   0: shop::f\n             at src/x.rs:1:2";
        assert_eq!(chain.stack.as_deref(), Some(stack));
    }

    #[test]
    fn other_texts_are_the_message() {
        for (text, type_name) in [
            ("connection refused", "Error"),
            ("Timeout", "Error"),
            ("ParseIntError { kind: Empty }", "ParseIntError"),
            ("", "Error"),
            ("it was caused by: x", "Error"),
        ] {
            let chain = parse(text);
            assert_eq!(
                (&*chain.outer.type_name, &*chain.outer.message),
                (type_name, text)
            );
            assert_eq!(chain.causes.len(), 0);
        }
    }
}
