//! The keywords of the language, for editors.

use crate::bind::{AGGREGATES, SPECIAL_FUNCTIONS};
use crate::functions;
use crate::syntax::OPERATORS;

/// The kind of a [`Word`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum WordKind {
    /// After a `|`.
    Operator,
    /// A scalar function.
    Function,
    /// An aggregate of `summarize` and `make-series`.
    Aggregate,
    /// A comparison such as `has`.
    Comparison,
}

/// A word of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Word {
    /// The word.
    pub text: &'static str,
    /// The kind of the word.
    pub kind: WordKind,
    /// The forms of a function's arguments and results; empty for other words.
    pub signature: &'static str,
}

const COMPARISONS: &[&str] = &[
    "and",
    "or",
    "between",
    "contains",
    "contains_cs",
    "endswith",
    "endswith_cs",
    "has",
    "has_all",
    "has_any",
    "has_cs",
    "hasprefix",
    "hasprefix_cs",
    "hassuffix",
    "hassuffix_cs",
    "in",
    "in~",
    "matches regex",
    "startswith",
    "startswith_cs",
    "!between",
    "!contains",
    "!endswith",
    "!has",
    "!in",
    "!in~",
    "!startswith",
];

/// All supported words, by kind and name.
#[must_use]
pub fn words() -> Vec<Word> {
    let word = |kind| {
        move |text: &'static str| Word {
            text,
            kind,
            signature: "",
        }
    };
    let function = |text: &'static str| Word {
        text,
        kind: WordKind::Function,
        signature: functions::find(text).map_or("", |function| function.signature),
    };
    let mut words: Vec<Word> = OPERATORS
        .iter()
        .copied()
        .map(word(WordKind::Operator))
        .collect();
    words.extend(
        functions::names()
            .chain(SPECIAL_FUNCTIONS.iter().copied())
            .map(function),
    );
    words.extend(AGGREGATES.iter().copied().map(word(WordKind::Aggregate)));
    words.extend(COMPARISONS.iter().copied().map(word(WordKind::Comparison)));
    words.sort_by(|a, b| (a.kind, a.text).cmp(&(b.kind, b.text)));
    words.dedup();
    words
}
