use std::error::Error;

use opentelemetry::Key;
use opentelemetry::logs::AnyValue;

use super::report::{self, Link, MAX_CAUSES, Report};

/// An error with its type, its message and the chain of its sources: an exception with inner exceptions.
///
/// Rust does not expose the type behind a `dyn Error`. The type name is therefore the name at the start of the `Debug`
/// text: the struct, or the variant of an enum. Without such a name it is `Error`.
///
/// # Examples
///
/// ```
/// use azmon_instrument::ErrorChain;
///
/// let error = "x".parse::<i32>().unwrap_err();
/// let chain = ErrorChain::of(&error);
/// assert_eq!(chain.type_name(), "ParseIntError");
/// assert_eq!(chain.message(), "invalid digit found in string");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorChain {
    outer: Link,
    causes: Vec<Link>,
    stack: Option<String>,
}

impl ErrorChain {
    /// Reads an error and its [sources](Error::source), at most 16.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let sources = std::iter::successors(error.source(), |cause| (*cause).source());
        Self {
            outer: Link::of(error),
            causes: sources.take(MAX_CAUSES).map(Link::of).collect(),
            stack: None,
        }
    }

    /// Reads the text of an error.
    ///
    /// The `Debug` text of an `anyhow::Error` or an `eyre::Report` contains the causes, and the backtrace if one was
    /// captured. Any other text is the message.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let Report {
            outer,
            causes,
            stack,
        } = report::parse(text);
        Self {
            outer,
            causes,
            stack,
        }
    }

    /// The type of the outermost error.
    #[must_use]
    pub fn type_name(&self) -> &str {
        &self.outer.type_name
    }

    /// The message of the outermost error.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.outer.message
    }

    /// The messages of the causes, the nearest first.
    pub fn causes(&self) -> impl Iterator<Item = &str> {
        self.causes.iter().map(|cause| cause.message.as_str())
    }

    /// The chain as attributes of a log record.
    ///
    /// The attributes are OpenTelemetry's `exception.type`, `exception.message` and `exception.stacktrace`. Two lists
    /// of strings, `exception.cause.type` and `exception.cause.message`, hold the causes; OpenTelemetry has no names
    /// for them.
    pub fn into_attributes(self) -> impl Iterator<Item = (Key, AnyValue)> {
        let Self {
            outer,
            causes,
            stack,
        } = self;
        let (types, messages): (Vec<_>, Vec<_>) = causes
            .into_iter()
            .map(|cause| {
                (
                    AnyValue::from(cause.type_name),
                    AnyValue::from(cause.message),
                )
            })
            .unzip();
        let list =
            |items: Vec<AnyValue>| (!items.is_empty()).then(|| AnyValue::ListAny(Box::new(items)));
        [
            ("exception.type", Some(AnyValue::from(outer.type_name))),
            ("exception.message", Some(AnyValue::from(outer.message))),
            ("exception.stacktrace", stack.map(AnyValue::from)),
            ("exception.cause.type", list(types)),
            ("exception.cause.message", list(messages)),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((Key::from_static_str(key), value?)))
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Outer {
        source: Middle,
    }

    #[derive(Debug)]
    enum Middle {
        Root(std::num::ParseIntError),
    }

    /// An error that is its own source.
    #[derive(Debug)]
    struct Ring;

    impl fmt::Display for Outer {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the order is lost")
        }
    }

    impl fmt::Display for Middle {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the quantity is no number")
        }
    }

    impl fmt::Display for Ring {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("ring")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.source)
        }
    }

    impl Error for Middle {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            match self {
                Self::Root(error) => Some(error),
            }
        }
    }

    impl Error for Ring {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&Self)
        }
    }

    fn link(type_name: &str, message: &str) -> Link {
        Link {
            type_name: type_name.to_owned(),
            message: message.to_owned(),
        }
    }

    fn outer() -> Outer {
        let root = "x".parse::<i32>().unwrap_err();
        Outer {
            source: Middle::Root(root),
        }
    }

    #[test]
    fn every_source_is_a_cause() {
        let chain = ErrorChain::of(&outer());
        assert_eq!(chain.outer, link("Outer", "the order is lost"));
        let root = link("ParseIntError", "invalid digit found in string");
        let middle = link("Root", "the quantity is no number");
        assert_eq!(chain.causes, [middle, root]);
    }

    #[test]
    fn a_ring_of_sources_ends() {
        assert_eq!(ErrorChain::of(&Ring).causes.len(), MAX_CAUSES);
    }

    #[test]
    fn errors_in_an_anyhow_or_eyre_error_keep_their_types() {
        let error = anyhow::Error::new(outer());
        assert_eq!(ErrorChain::of(error.as_ref()), ErrorChain::of(&outer()));
        let report = eyre::Report::new(outer());
        assert_eq!(ErrorChain::of(report.as_ref()), ErrorChain::of(&outer()));
        let bare = anyhow::anyhow!("connection refused");
        assert_eq!(
            ErrorChain::of(bare.as_ref()).outer,
            link("Error", "connection refused")
        );
    }

    #[test]
    fn the_debug_text_of_anyhow_and_eyre_has_the_causes() {
        let error = anyhow::Error::new(outer()).context("two\nlines");
        let chain = ErrorChain::parse(&format!("{error:?}"));
        assert_eq!(chain.outer.message, "two\nlines");
        let causes: Vec<_> = chain.causes().collect();
        let expected = [
            "the order is lost",
            "the quantity is no number",
            "invalid digit found in string",
        ];
        assert_eq!(causes, expected);

        let report = eyre::Report::new(outer()).wrap_err("at the counter");
        let chain = ErrorChain::parse(&format!("{report:?}"));
        assert_eq!(chain.outer.message, "at the counter");
        assert_eq!(chain.causes().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn one_cause_without_a_number_is_read_too() {
        let error = anyhow::anyhow!("root\ncause").context("outer");
        let chain = ErrorChain::parse(&format!("{error:?}"));
        assert_eq!(chain.outer, link("Error", "outer"));
        assert_eq!(chain.causes, [link("Error", "root\ncause")]);
    }
}
