//! The SQL keywords from which summaries are made, in upper case.

/// How a statement uses the names after its first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Names a stored procedure: `CALL p`.
    Call,
    /// Names its object after the object's kind: `CREATE UNIQUE INDEX i`.
    Define,
    /// Names tables after `FROM` and `USING`.
    Delete,
    /// Precedes its main statement: `EXPLAIN ANALYZE SELECT`.
    Explain,
    /// Names its table directly, or after `INTO`.
    Insert,
    /// Names something that is not a table: `LISTEN c`.
    Invoke,
    /// Names tables directly: `TRUNCATE TABLE a, b`.
    Maintain,
    /// Names nothing that belongs in a summary: `SET`, `GRANT`.
    Other,
    /// Names tables after `FROM` and `JOIN`.
    Select,
    /// Names tables up to `SET`.
    Update,
    /// Defines tables for the statement that follows.
    With,
}

impl Verb {
    /// Whether the statement can stand in parentheses, and after `EXPLAIN` and `WITH`.
    pub(super) fn is_query(self) -> bool {
        self.changes_rows() || matches!(self, Self::Select | Self::With)
    }

    pub(super) fn changes_rows(self) -> bool {
        matches!(self, Self::Delete | Self::Insert | Self::Update)
    }
}

/// The verb for `word`, with its static spelling.
pub(super) fn verb(word: &str) -> Option<(&'static str, Verb)> {
    VERBS.iter().find(|(name, _)| *name == word).copied()
}

/// The object kind for `word` after `CREATE`, `ALTER` or `DROP`.
pub(super) fn object_kind(word: &str) -> Option<&'static str> {
    OBJECT_KINDS.iter().find(|kind| **kind == word).copied()
}

/// Whether `word` may stand between `verb` and its object's name.
pub(super) fn is_modifier(verb: Option<Verb>, word: &str) -> bool {
    let modifiers = match verb {
        Some(Verb::Define) => MODIFIERS_OF_DEFINE,
        Some(Verb::Delete | Verb::Select) => MODIFIERS_OF_SELECT,
        Some(Verb::Insert) => MODIFIERS_OF_INSERT,
        Some(Verb::Maintain) => MODIFIERS_OF_MAINTAIN,
        Some(Verb::Update) => MODIFIERS_OF_UPDATE,
        _ => &[],
    };
    modifiers.contains(&word)
}

/// Whether `word` ends a list of tables, and cannot name one.
pub(super) fn ends_tables(word: &str) -> bool {
    ENDS_OF_TABLES.contains(&word)
}

/// Whether a program follows the object's name after `phrase`, such as `CREATE FUNCTION`. The program is not part
/// of the summary.
pub(super) fn has_body(phrase: &str) -> bool {
    match phrase.split_once(' ') {
        Some(("CREATE", kind)) => matches!(
            kind,
            "EVENT" | "FUNCTION" | "PROCEDURE" | "RULE" | "TRIGGER"
        ),
        Some(("ALTER", kind)) => kind == "EVENT",
        _ => false,
    }
}

/// The maximum length of a keyword.
pub(super) const LONGEST_WORD: usize = 20;

/// `word` in upper case; empty if its length or letters rule out a keyword.
pub(super) fn upper_case<'b>(word: &str, buffer: &'b mut [u8; LONGEST_WORD]) -> &'b str {
    let Some(buffer) = buffer.get_mut(..word.len()) else {
        return "";
    };
    buffer.copy_from_slice(word.as_bytes());
    buffer.make_ascii_uppercase();
    match str::from_utf8(buffer) {
        Ok(word) if word.is_ascii() => word,
        _ => "",
    }
}

/// A quoted identifier without its quotes, if it is readable without them.
pub(super) fn unquoted(identifier: &str) -> &str {
    let inner = identifier
        .get(1..identifier.len().saturating_sub(1))
        .unwrap_or_default();
    let is_plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii();
    match !inner.is_empty() && inner.bytes().all(is_plain) {
        true => inner,
        false => identifier,
    }
}

#[rustfmt::skip]
const VERBS: &[(&str, Verb)] = &[
    ("ALTER", Verb::Define), ("ANALYZE", Verb::Maintain), ("ATTACH", Verb::Other), ("BEGIN", Verb::Other),
    ("CALL", Verb::Call), ("CHECKPOINT", Verb::Other), ("CLOSE", Verb::Other), ("CLUSTER", Verb::Maintain),
    ("COMMENT", Verb::Other), ("COMMIT", Verb::Other), ("COPY", Verb::Maintain), ("CREATE", Verb::Define),
    ("DEALLOCATE", Verb::Other), ("DECLARE", Verb::Other), ("DELETE", Verb::Delete), ("DESC", Verb::Maintain),
    ("DESCRIBE", Verb::Maintain), ("DETACH", Verb::Other), ("DISCARD", Verb::Other), ("DO", Verb::Other),
    ("DROP", Verb::Define), ("END", Verb::Other), ("EXEC", Verb::Call), ("EXECUTE", Verb::Invoke),
    ("EXPLAIN", Verb::Explain), ("FETCH", Verb::Other), ("FLUSH", Verb::Other), ("GRANT", Verb::Other),
    ("INSERT", Verb::Insert), ("KILL", Verb::Other), ("LISTEN", Verb::Invoke), ("LOAD", Verb::Other),
    ("LOCK", Verb::Maintain), ("MERGE", Verb::Insert), ("MOVE", Verb::Other), ("NOTIFY", Verb::Invoke),
    ("OPTIMIZE", Verb::Maintain), ("PRAGMA", Verb::Invoke), ("PREPARE", Verb::Other), ("REFRESH", Verb::Maintain),
    ("REINDEX", Verb::Maintain), ("RELEASE", Verb::Other), ("RENAME", Verb::Other), ("REPLACE", Verb::Insert),
    ("RESET", Verb::Other), ("REVOKE", Verb::Other), ("ROLLBACK", Verb::Other), ("SAVEPOINT", Verb::Other),
    ("SELECT", Verb::Select), ("SET", Verb::Other), ("SHOW", Verb::Other), ("START", Verb::Other),
    ("TABLE", Verb::Maintain), ("TRUNCATE", Verb::Maintain), ("UNLISTEN", Verb::Invoke), ("UNLOCK", Verb::Other),
    ("UPDATE", Verb::Update), ("USE", Verb::Invoke), ("VACUUM", Verb::Maintain), ("VALUES", Verb::Other),
    ("WITH", Verb::With), ("XA", Verb::Other),
];

#[rustfmt::skip]
const OBJECT_KINDS: &[&str] = &[
    "AGGREGATE", "COLLATION", "DATABASE", "DOMAIN", "EVENT", "EXTENSION", "FUNCTION", "INDEX", "POLICY", "PROCEDURE",
    "PUBLICATION", "ROLE", "RULE", "SCHEMA", "SEQUENCE", "SERVER", "STATISTICS", "SUBSCRIPTION", "TABLE", "TABLESPACE",
    "TRIGGER", "TYPE", "USER", "VIEW",
];

const MODIFIERS_OF_DEFINE: &[&str] = &["CONCURRENTLY", "EXISTS", "IF", "NOT", "ONLY"];

#[rustfmt::skip]
const MODIFIERS_OF_INSERT: &[&str] = &[
    "ABORT", "DELAYED", "FAIL", "HIGH_PRIORITY", "IGNORE", "INTO", "LOW_PRIORITY", "ONLY", "OR", "REPLACE", "ROLLBACK",
];

#[rustfmt::skip]
const MODIFIERS_OF_MAINTAIN: &[&str] = &[
    "ANALYZE", "CONCURRENTLY", "DATABASE", "EXISTS", "EXTENDED", "FREEZE", "FULL", "IF", "INDEX", "LOCAL",
    "MATERIALIZED", "NO_WRITE_TO_BINLOG", "ONLY", "SCHEMA", "SYSTEM", "TABLE", "TABLES", "VERBOSE", "VIEW",
];

const MODIFIERS_OF_SELECT: &[&str] = &["LATERAL", "ONLY"];

#[rustfmt::skip]
const MODIFIERS_OF_UPDATE: &[&str] = &[
    "ABORT", "FAIL", "IGNORE", "LATERAL", "LOW_PRIORITY", "ONLY", "OR", "REPLACE", "ROLLBACK",
];

#[rustfmt::skip]
const ENDS_OF_TABLES: &[&str] = &[
    "CROSS", "DO", "EXCEPT", "FETCH", "FOR", "FORCE", "FULL", "GROUP", "HAVING", "IGNORE", "INNER", "INTERSECT", "INTO",
    "JOIN", "LEFT", "LIMIT", "NATURAL", "OFFSET", "ON", "ORDER", "OUTER", "PARTITION", "RETURNING", "RIGHT", "SET",
    "STRAIGHT_JOIN", "UNION", "USE", "USING", "VALUES", "WHERE", "WINDOW",
];
