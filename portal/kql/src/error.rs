//! Query errors with their places in the text.

use std::fmt;

use crate::span::Span;

/// The kind of an [`Error`], from which an HTTP interface derives its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is not KQL (`SYN0002`).
    Syntax,
    /// The text is KQL, but names, types or arguments do not fit (`SEM…`).
    Semantic,
    /// The text is valid Kusto that this engine does not support.
    Unsupported,
    /// A limit of [`Limits`](crate::Limits) was reached.
    Limit,
    /// The query ran longer than [`Limits::time`](crate::Limits::time).
    Timeout,
    /// The [`CancelToken`](crate::CancelToken) was used.
    Cancelled,
    /// A table could not be read.
    Source,
}

/// The reason why a query failed.
///
/// Lines and columns start at 1; columns count characters.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    suggestion: Option<String>,
    span: Option<Span>,
    place: Option<Place>,
}

/// The place of an error in the text of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Place {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// Offset in bytes, from 0.
    pub offset: usize,
    /// Length in bytes.
    pub length: usize,
    /// The text at that place.
    pub token: String,
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    fn new(kind: ErrorKind, code: &'static str, span: Option<Span>, message: String) -> Self {
        Self(Box::new(Inner {
            kind,
            code,
            message,
            suggestion: None,
            span,
            place: None,
        }))
    }

    pub(crate) fn syntax(span: Span, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Syntax, "SYN0002", Some(span), message.into())
    }

    pub(crate) fn semantic(span: Span, code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Semantic, code, Some(span), message.into())
    }

    /// `name` is valid Kusto, but not supported.
    pub(crate) fn unsupported(span: Span, name: &str) -> Self {
        Self::new(
            ErrorKind::Unsupported,
            "SEM0001",
            Some(span),
            format!("{name} is valid Kusto but not supported locally"),
        )
    }

    pub(crate) fn limit(message: impl Into<String>) -> Self {
        Self::new(
            ErrorKind::Limit,
            "E_QUERY_RESULT_SET_TOO_LARGE",
            None,
            message.into(),
        )
    }

    pub(crate) fn limit_at(span: Span, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit, "SEM0002", Some(span), message.into())
    }

    pub(crate) fn timeout() -> Self {
        Self::new(
            ErrorKind::Timeout,
            "E_QUERY_TIMEOUT",
            None,
            "the query took longer than it may".to_owned(),
        )
    }

    pub(crate) fn cancelled() -> Self {
        Self::new(
            ErrorKind::Cancelled,
            "E_QUERY_CANCELLED",
            None,
            "the query was cancelled".to_owned(),
        )
    }

    /// Makes an error of a table, for implementations of [`Table`](crate::Table).
    #[must_use]
    pub fn source(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Source, "E_SOURCE", None, message.into())
    }

    /// Adds "did you mean …" if a candidate is similar to `name`.
    pub(crate) fn suggest<'a>(
        mut self,
        name: &str,
        candidates: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        self.0.suggestion = nearest(name, candidates).map(str::to_owned);
        self
    }

    pub(crate) fn or_at(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    /// Computes the place in the text.
    pub(crate) fn locate(mut self, text: &str) -> Self {
        if let (Some(span), None) = (self.0.span, &self.0.place) {
            let start = floor_boundary(text, span.start as usize);
            let end = floor_boundary(text, span.end as usize).max(start);
            let before = text.get(..start).unwrap_or_default();
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            self.0.place = Some(Place {
                line: before.matches('\n').count() + 1,
                column: before.get(line_start..).unwrap_or_default().chars().count() + 1,
                offset: start,
                length: end - start,
                token: text.get(start..end).unwrap_or_default().to_owned(),
            });
        }
        self
    }

    /// The kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The code in Kusto's style, such as `SYN0002` or `SEM0100`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The message without its place and suggestion.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The suggested name.
    #[must_use]
    pub fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// The place in the text; `None` for limits, time-outs and tables.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(suggestion) = &self.0.suggestion {
            write!(f, "; did you mean '{suggestion}'?")?;
        }
        if let Some(place) = &self.0.place {
            write!(f, " (line {}, column {})", place.line, place.column)?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The nearest candidate within an edit distance of a third of the name's length.
fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST_COMPARED: usize = 64;

    if name.len() > LONGEST_COMPARED {
        return None;
    }
    let allowed = (name.chars().count() / 3).max(1);
    // Skips names whose length alone exceeds the distance.
    candidates
        .into_iter()
        .filter(|candidate| {
            candidate.len() <= LONGEST_COMPARED
                && candidate.len().abs_diff(name.len()) <= 4 * allowed
        })
        .filter(|candidate| candidate.chars().count().abs_diff(name.chars().count()) <= allowed)
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// The edit distance, ignoring case: an insertion, a deletion, a substitution or an exchange of two adjacent characters
/// is one edit (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.to_lowercase().chars().collect();
    let right: Vec<char> = right.to_lowercase().chars().collect();
    let mut above = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in right.iter().enumerate() {
            let mut edits = (last[j] + usize::from(a != b))
                .min(row[j] + 1)
                .min(last[j + 1] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                edits = edits.min(above[j - 1] + 1);
            }
            row.push(edits);
        }
        above = std::mem::replace(&mut last, row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_lines_from_one() {
        let error = Error::syntax(Span::new(9, 10), "x").locate("añb\n  ü?z");
        let place = error.place().expect("a place");
        assert_eq!(
            (place.line, place.column, place.token.as_str()),
            (2, 4, "?")
        );
    }

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("durtion", ["duration", "name"]), Some("duration"));
        assert_eq!(nearest("TIMESTAMP", ["timestamp"]), Some("timestamp"));
        assert_eq!(nearest("xyz", ["duration", "name"]), None);
    }

    #[test]
    fn two_exchanged_characters_are_one_edit() {
        assert_eq!(nearest("nmae", ["duration", "name"]), Some("name"));
        assert_eq!(
            nearest("sumamrize", ["summarize", "sample"]),
            Some("summarize")
        );
        assert_eq!(nearest("reuqests", ["requests"]), Some("requests"));
        assert_eq!(distance("ab", "ba"), 1);
        // A character is moved once.
        assert_eq!(distance("ca", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
