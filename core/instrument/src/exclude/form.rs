use regex_lite::RegexBuilder;

use super::error::Reason;

/// Maximum length of the text that a regular expression reads, in bytes; the rest is ignored. Matching takes about
/// 300 ns per byte, and the caller of a server chooses the length.
pub(super) const MAX_REGEX_TEXT: usize = 512;

/// An entry, by the form that its prefix names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form<'a> {
    Exact(&'a str),
    Glob(&'a str),
    Plain(&'a str),
    Regex(&'a str),
}

/// A regular expression over a bounded text.
#[derive(Debug, Clone)]
pub(super) struct Regex(regex_lite::Regex);

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

impl Regex {
    pub(super) fn parse(pattern: &str, ignores_case: bool) -> Result<Self, Reason> {
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(ignores_case)
            .build();
        regex.map(Self).map_err(Reason::Regex)
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        let end = (0..=MAX_REGEX_TEXT.min(text.len()))
            .rev()
            .find(|end| text.is_char_boundary(*end));
        let head = text.get(..end.unwrap_or_default()).unwrap_or_default();
        self.0.is_match(head)
    }
}
