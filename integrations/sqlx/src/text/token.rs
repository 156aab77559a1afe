/// What a token is, as far as telling data from structure needs it, from what hides least to what hides most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Symbol,
    /// A keyword or an identifier without quotes.
    Name,
    /// An identifier in quotes, with them.
    Quoted,
    Parameter,
    Space,
    /// An identifier in quotes, or a string: only its place tells.
    Doubtful,
    Comment,
    /// A string or a number, a quoted identifier that never ends, and what is one in some reading of the text.
    Literal,
}

impl Kind {
    /// Whether the text of the token may be shown.
    pub(super) fn is_plain(self) -> bool {
        self < Self::Doubtful
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
}
