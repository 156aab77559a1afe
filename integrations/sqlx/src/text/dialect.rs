use super::reading::{self, Reading};

/// How a database writes strings, quoted identifiers, comments and parameters.
///
/// Sessions have modes that decide where a string ends. A dialect stands for all of them: text that can be read
/// in several ways is data if it is data in one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// A database that is not listed here: text is kept only where all the others read it alike.
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
    /// The ways in which a text of the dialect can be read.
    pub(super) fn readings(self) -> &'static [Reading] {
        match self {
            Self::Generic => &reading::ALL,
            Self::MySql => &reading::MYSQL,
            Self::Postgres => &reading::POSTGRES,
            Self::Sqlite => &reading::SQLITE,
        }
    }

    /// Whether a table that `WITH` defines can be named in its own definition without `RECURSIVE`.
    pub(super) fn recurses_anyway(self) -> bool {
        self == Self::Sqlite
    }
}
