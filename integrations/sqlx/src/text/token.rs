/// The kinds of tokens, ordered from the least to the most secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Symbol,
    /// A keyword or an identifier without quotes.
    Name,
    /// An identifier in quotes, with them.
    Quoted,
    Parameter,
    Space,
    /// A quoted identifier or a string; the context decides.
    Doubtful,
    Comment,
    /// A string, a number, a quoted identifier that never ends, or a token that is one of these in some reading.
    Literal,
}

impl Kind {
    /// Whether the text of the token can be recorded.
    pub(super) fn is_plain(self) -> bool {
        self < Self::Doubtful
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}
