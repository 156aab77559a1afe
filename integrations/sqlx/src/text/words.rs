//! The words of SQL that a summary is made from, in upper case.

/// What a statement does with the names that follow its first word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// Names its object after a kind: `CREATE UNIQUE INDEX i`.
    Define,
    /// Names tables after `FROM` and `USING`.
    Delete,
    /// Precedes the statement that it is about: `EXPLAIN ANALYZE SELECT`.
    Explain,
    /// Names its table directly, or after `INTO`.
    Insert,
    /// Names something that is not a table: `CALL p`.
    Invoke,
    /// Names tables directly: `TRUNCATE TABLE a, b`.
    Maintain,
    /// Names nothing that belongs into a summary: `SET`, `GRANT`.
    Other,
    /// Names tables after `FROM` and `JOIN`.
    Select,
    /// Names tables up to `SET`.
    Update,
    /// Precedes the statement with the tables that it defines for it.
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

/// The verb that `word` is, with its static spelling.
pub(super) fn verb(word: &str) -> Option<(&'static str, Verb)> {
    VERBS.iter().find(|(name, _)| *name == word).copied()
}

/// The kind of object, if `CREATE`, `ALTER` and `DROP` name one by `word`.
pub(super) fn object_kind(word: &str) -> Option<&'static str> {
    OBJECT_KINDS.iter().find(|kind| **kind == word).copied()
}

/// Whether `word` may stand between a verb and the name of what it works on.
pub(super) fn is_modifier(word: &str) -> bool {
    MODIFIERS.contains(&word)
}

/// Whether `word` cannot name a table, and ends the list of them.
pub(super) fn ends_tables(word: &str) -> bool {
    ENDS_OF_TABLES.contains(&word)
}

/// Whether what follows the name of such an object is a program, and so no part of the summary.
pub(super) fn has_body(kind: &str) -> bool {
    matches!(
        kind,
        "EVENT" | "FUNCTION" | "PROCEDURE" | "RULE" | "TRIGGER"
    )
}

#[rustfmt::skip]
const VERBS: &[(&str, Verb)] = &[
    ("ALTER", Verb::Define), ("ANALYZE", Verb::Maintain), ("ATTACH", Verb::Other), ("BEGIN", Verb::Other),
    ("CALL", Verb::Invoke), ("CHECKPOINT", Verb::Other), ("CLOSE", Verb::Other), ("CLUSTER", Verb::Maintain),
    ("COMMENT", Verb::Other), ("COMMIT", Verb::Other), ("COPY", Verb::Maintain), ("CREATE", Verb::Define),
    ("DEALLOCATE", Verb::Other), ("DECLARE", Verb::Other), ("DELETE", Verb::Delete), ("DESC", Verb::Maintain),
    ("DESCRIBE", Verb::Maintain), ("DETACH", Verb::Other), ("DISCARD", Verb::Other), ("DO", Verb::Other),
    ("DROP", Verb::Define), ("END", Verb::Other), ("EXEC", Verb::Invoke), ("EXECUTE", Verb::Invoke),
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

#[rustfmt::skip]
const MODIFIERS: &[&str] = &[
    "ABORT", "ANALYZE", "CONCURRENTLY", "DELAYED", "EXISTS", "EXTENDED", "FAIL", "FREEZE", "FULL", "HIGH_PRIORITY",
    "IF", "IGNORE", "INDEX", "INTO", "LATERAL", "LOCAL", "LOW_PRIORITY", "MATERIALIZED", "NOT", "NO_WRITE_TO_BINLOG",
    "ONLY", "OR", "QUICK", "REPLACE", "ROLLBACK", "TABLE", "TABLES", "VERBOSE", "VIEW",
];

#[rustfmt::skip]
const ENDS_OF_TABLES: &[&str] = &[
    "CROSS", "DO", "EXCEPT", "FETCH", "FOR", "FORCE", "FULL", "GROUP", "HAVING", "IGNORE", "INNER", "INTERSECT", "INTO",
    "JOIN", "LEFT", "LIMIT", "NATURAL", "OFFSET", "ON", "ORDER", "OUTER", "PARTITION", "RETURNING", "RIGHT", "SET",
    "STRAIGHT_JOIN", "UNION", "USE", "USING", "VALUES", "WHERE", "WINDOW",
];
