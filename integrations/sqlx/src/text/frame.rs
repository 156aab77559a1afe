use super::words::Verb;

/// A statement or a parenthesis that is open.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) verb: Option<Verb>,
    pub(super) expects: Expects,
    /// Whether a comma brings another table.
    pub(super) list: bool,
    /// Whether names are those of tables.
    pub(super) tables: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expects {
    /// The name of a table that `WITH` defines.
    Definition,
    /// The kind of object after `CREATE`.
    Kind,
    Name,
    Nothing,
    /// More words of the verb: `ROLLBACK TO`.
    Phrase,
    /// A query in parentheses, if it is one.
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

    /// What `verb` expects.
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
