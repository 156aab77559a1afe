use super::words::Verb;

/// An open statement or parenthesis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) verb: Option<Verb>,
    pub(super) expects: Expects,
    /// Whether a comma precedes another table.
    pub(super) list: bool,
    /// Whether names are table names.
    pub(super) tables: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expects {
    /// The name of a table in a `WITH` definition.
    Definition,
    /// The kind of object after `CREATE`.
    Kind,
    Name,
    Nothing,
    /// A further word of the verb: `ROLLBACK TO`.
    Phrase,
    /// A query in parentheses, if the parentheses contain one.
    Query,
    Statement,
}

impl Frame {
    pub(super) const STATEMENT: Self = Self::expecting(Expects::Statement);

    pub(super) const fn expecting(expects: Expects) -> Self {
        Self {
            verb: None,
            expects,
            list: false,
            tables: true,
        }
    }

    /// The expectation after `verb`.
    pub(super) fn of(verb: Verb, name: &str) -> Self {
        let (expects, list) = match verb {
            Verb::Define => (Expects::Kind, name == "DROP"),
            Verb::Call | Verb::Insert | Verb::Invoke => (Expects::Name, false),
            Verb::Maintain | Verb::Update => (Expects::Name, true),
            Verb::Other => (Expects::Phrase, false),
            Verb::With => (Expects::Definition, false),
            Verb::Delete | Verb::Explain | Verb::Select => (Expects::Nothing, false),
        };
        Self {
            verb: Some(verb),
            expects,
            list,
            tables: !matches!(verb, Verb::Call | Verb::Invoke),
        }
    }
}
