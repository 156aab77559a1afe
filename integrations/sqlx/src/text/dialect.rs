use super::reading::{self, Reading};

/// The syntax of a database's strings, quoted identifiers, comments and parameters.
///
/// Session modes decide where a string ends. A dialect covers all modes: text that is data in one of them is
/// treated as data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// A database that is not listed here: text is kept only where all other dialects agree.
    Generic,
    /// MySQL and MariaDB, with and without the modes `ANSI_QUOTES` and `NO_BACKSLASH_ESCAPES`.
    ///
    /// `'string'` and `"string"`, `` `identifier` ``, `-- comment`, `# comment`, `/* comment */`, `?`, `@name`.
    /// Text in double quotes is kept only where a table is named. What `/*! … */` holds is taken for a comment,
    /// and if it has quotes or comments of its own, nothing after it is kept.
    MySql,
    /// PostgreSQL, with and without `standard_conforming_strings`.
    ///
    /// `'string'`, `E'string'` with backslash escapes, both continued on the next line, `$tag$string$tag$`,
    /// `"identifier"`, `-- comment`, `/* comment /* nested */ */`, `$1`.
    Postgres,
    /// SQLite.
    ///
    /// `'string'`, `` `identifier` ``, `[identifier]`, `-- comment`, `/* comment */`, `?`, `?1`, `:name`, `@name`,
    /// `$name`. Text in double quotes is a string where no column has that name, so it is kept only where a
    /// table is named, and beside a dot.
    Sqlite,
}

impl Dialect {
    /// The readings of a text in this dialect.
    pub(super) fn readings(self) -> &'static [Reading] {
        match self {
            Self::Generic => &reading::ALL,
            Self::MySql => &reading::MYSQL,
            Self::Postgres => &reading::POSTGRES,
            Self::Sqlite => &reading::SQLITE,
        }
    }

    /// Whether the definition of a `WITH` table may refer to itself without `RECURSIVE`.
    pub(super) fn recurses_anyway(self) -> bool {
        self == Self::Sqlite
    }
}
