/// One reading of a text: the syntax of a product in one of its session modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) syntax: Syntax,
    /// Whether a backslash is an escape in `'strings'`.
    pub(super) escapes_single: bool,
    /// Whether a backslash is an escape inside double quotes.
    pub(super) escapes_double: bool,
    /// Whether `$name(…)` is one variable, including the parentheses.
    pub(super) has_tcl_variables: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    MySql,
    Postgres,
    Sqlite,
}

impl Reading {
    const fn new(syntax: Syntax) -> Self {
        Self {
            syntax,
            escapes_single: false,
            escapes_double: false,
            has_tcl_variables: false,
        }
    }
}

/// In the default mode, with `ANSI_QUOTES`, and with `NO_BACKSLASH_ESCAPES`.
pub(super) const MYSQL: [Reading; 3] = [
    Reading {
        escapes_single: true,
        escapes_double: true,
        ..Reading::new(Syntax::MySql)
    },
    Reading {
        escapes_single: true,
        ..Reading::new(Syntax::MySql)
    },
    Reading::new(Syntax::MySql),
];

/// With `standard_conforming_strings` on, the default, and off.
pub(super) const POSTGRES: [Reading; 2] = [
    Reading::new(Syntax::Postgres),
    Reading {
        escapes_single: true,
        ..Reading::new(Syntax::Postgres)
    },
];

/// The default build, and a build with `SQLITE_OMIT_TCL_VARIABLE`.
pub(super) const SQLITE: [Reading; 2] = [
    Reading {
        has_tcl_variables: true,
        ..Reading::new(Syntax::Sqlite)
    },
    Reading::new(Syntax::Sqlite),
];

pub(super) const ALL: [Reading; MOST] = {
    let [a, b, c] = MYSQL;
    let [d, e] = SQLITE;
    let [f, g] = POSTGRES;
    [a, b, c, d, e, f, g]
};

/// The maximum number of readings of a dialect.
pub(super) const MOST: usize = 7;
