use regex_lite::{Regex, RegexBuilder};

use super::error::Reason;

/// An entry, by the form that its prefix names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form<'a> {
    Exact(&'a str),
    Glob(&'a str),
    Plain(&'a str),
    Regex(&'a str),
}

impl<'a> Form<'a> {
    pub(super) fn of(entry: &'a str) -> Result<Self, Reason> {
        let entry = entry.trim();
        let (form, text): (fn(&'a str) -> Self, _) = match entry.split_once(':') {
            Some(("exact", text)) => (Self::Exact, text),
            Some(("glob", text)) => (Self::Glob, text),
            Some(("regex", text)) => (Self::Regex, text),
            _ => (Self::Plain, entry),
        };
        if text.is_empty() {
            return Err(Reason::Empty);
        }
        Ok(form(text))
    }
}

pub(super) fn regex(pattern: &str, ignore_case: bool) -> Result<Regex, Reason> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignore_case)
        .build()
        .map_err(Reason::Regex)
}

/// The pattern of the whole text that a glob describes; `*` stops at the separator, if there is one.
pub(super) fn glob(glob: &str, separator: Option<char>) -> String {
    let any_but_separator = match separator {
        Some(separator) => format!("[^{}]*", regex_lite::escape(&separator.to_string())),
        None => ".*".to_owned(),
    };
    let mut pattern = String::from("(?s)^");
    let mut rest = glob;
    while let Some(first) = rest.chars().next() {
        let token = if rest.starts_with("**") {
            "**"
        } else {
            &rest[..first.len_utf8()]
        };
        match token {
            "**" => pattern.push_str(".*"),
            "*" => pattern.push_str(&any_but_separator),
            "?" => pattern.push('.'),
            _ => pattern.push_str(&regex_lite::escape(token)),
        }
        rest = &rest[token.len()..];
    }
    pattern.push('$');
    pattern
}
