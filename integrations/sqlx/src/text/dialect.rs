/// How a database writes strings, quoted identifiers, comments and parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// Standard SQL, with the parameters of most databases, for those that are not listed here.
    ///
    /// `'string'`, `"identifier"`, `` `identifier` ``, `-- comment`, `/* comment */`, `?`, `:name`, `@name`.
    Generic,
    /// MySQL and MariaDB in their default SQL mode.
    ///
    /// `'string'` and `"string"` with backslash escapes, `` `identifier` ``, `-- comment`, `# comment`,
    /// `/* comment */`, `?`, `@name`. In the mode `ANSI_QUOTES` identifiers in double quotes are taken for
    /// strings, and so replaced.
    MySql,
    /// PostgreSQL with `standard_conforming_strings`, the default since version 9.1.
    ///
    /// `'string'`, `E'string'` with backslash escapes, `$tag$string$tag$`, `"identifier"`, `-- comment`,
    /// `/* comment /* nested */ */`, `$1`.
    Postgres,
    /// SQLite.
    ///
    /// `'string'`, `"identifier"`, `` `identifier` ``, `[identifier]`, `-- comment`, `/* comment */`, `?`, `?1`,
    /// `:name`, `@name`, `$name`. A string in double quotes, which SQLite forgives where it finds no such
    /// column, is taken for an identifier, and so kept.
    Sqlite,
}

impl Dialect {
    pub(super) fn escapes_by_backslash(self) -> bool {
        self == Self::MySql
    }

    pub(super) fn nests_comments(self) -> bool {
        self == Self::Postgres
    }

    pub(super) fn numbers_question_marks(self) -> bool {
        self == Self::Sqlite
    }

    /// Whether `marker` and a name directly after it are a parameter or a variable.
    pub(super) fn names_parameters_by(self, marker: u8) -> bool {
        match self {
            Self::Generic => matches!(marker, b':' | b'@'),
            Self::MySql => marker == b'@',
            Self::Postgres => false,
            Self::Sqlite => matches!(marker, b':' | b'@' | b'$'),
        }
    }

    /// The byte that closes the quoted identifier which `open` opens.
    pub(super) fn closes_identifier(self, open: u8) -> Option<u8> {
        match (open, self) {
            (b'"', Self::Generic | Self::Postgres | Self::Sqlite) => Some(b'"'),
            (b'`', Self::Generic | Self::MySql | Self::Sqlite) => Some(b'`'),
            (b'[', Self::Sqlite) => Some(b']'),
            _ => None,
        }
    }

    pub(super) fn opens_string(self, byte: u8) -> bool {
        byte == b'\'' || byte == b'"' && self == Self::MySql
    }
}
