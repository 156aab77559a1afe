use std::error::Error;
use std::fmt::{self, Write};

/// Replaces an unknown type name.
pub(super) const UNKNOWN: &str = "Error";

/// Maximum length of a type name, in bytes.
const LONGEST: usize = 128;

/// The type name of an error, or [`UNKNOWN`].
pub(super) fn of(error: &(dyn Error + 'static)) -> String {
    let known = known(error).map(str::to_owned);
    let name = known.or_else(|| {
        let mut head = Head(String::new());
        // The writer fails on purpose once it has read enough.
        let _ = write!(head, "{error:?}");
        of_debug(&head.0).map(str::to_owned)
    });
    name.unwrap_or_else(|| UNKNOWN.to_owned())
}

/// Errors of the standard library whose `Debug` text does not begin with their type name.
fn known(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if error.is::<std::io::Error>() {
        Some("std::io::Error")
    } else if error.is::<std::env::VarError>() {
        Some("std::env::VarError")
    } else if error.is::<fmt::Error>() {
        Some("std::fmt::Error")
    } else {
        None
    }
}

/// The name at the start of a `Debug` text such as `Name`, `Name(..)` or `Name { .. }`.
pub(super) fn of_debug(text: &str) -> Option<&str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let is_name = name.starts_with(|c: char| c.is_alphabetic() || c == '_') && !name.ends_with(':');
    let is_whole = rest.is_empty() || rest.starts_with('(') || rest.starts_with(" {");
    (is_name && is_whole && name.len() <= LONGEST).then_some(name)
}

/// The start of a text that may be long and costly to write in full.
struct Head(String);

impl Write for Head {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.push_str(text);
        if self.0.len() > LONGEST + 2 {
            return Err(fmt::Error);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debug_text_begins_with_the_name() {
        for (text, name) in [
            ("NotFound", Some("NotFound")),
            ("Io(Os { code: 2 })", Some("Io")),
            ("Query { sql: \"select\" }", Some("Query")),
            ("sqlx::Error(x)", Some("sqlx::Error")),
            ("connection refused", None),
            ("\"quoted\"", None),
            ("error: x", None),
            ("404", None),
            ("", None),
        ] {
            assert_eq!(of_debug(text), name, "{text}");
        }
    }

    #[test]
    fn errors_of_the_standard_library_have_their_names() {
        let io = std::io::Error::other("x");
        assert_eq!(of(&io), "std::io::Error");
        assert_eq!(of(&std::env::VarError::NotPresent), "std::env::VarError");
        let boxed: Box<dyn Error> = "just words".into();
        assert_eq!(of(boxed.as_ref()), "Error");
    }
}
