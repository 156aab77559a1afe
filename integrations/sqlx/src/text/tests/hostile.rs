//! Many texts that are made to be read wrongly: no panic, every bound kept, and in time.

use std::time::{Duration, Instant};

use fastrand::Rng;

use super::*;

/// Texts of each dialect.
const TEXTS: usize = 100_000;

/// Every byte sequence that opens, closes, escapes, continues or separates something, in some dialect.
const PIECES: &[&str] = &[
    "'",
    "''",
    "\"",
    "\"\"",
    "`",
    "``",
    "[",
    "]",
    "\\",
    "\\'",
    "$",
    "$$",
    "$a$",
    "$1",
    "?",
    "?1",
    ":",
    "::",
    ":a",
    "@",
    "@@a",
    "#",
    "#a",
    "--",
    "-- ",
    "--\x7F",
    "/*",
    "*/",
    "/*!",
    "/*!50000",
    "/*M!",
    "/*+",
    "/",
    "*",
    "\n",
    "\r",
    "\t",
    "\x0B",
    "\x0C",
    " ",
    "\0",
    "E'",
    "e'",
    "N'",
    "B'",
    "x'",
    "U&'",
    "U&\"",
    "u&",
    "_utf8'",
    "1",
    "0x",
    "0b",
    "1e",
    "1e+",
    ".",
    "..",
    ",",
    ";",
    "(",
    ")",
    "=",
    "é",
    "😀",
    "\u{A0}",
    "\u{2028}",
    "secret",
    "t",
    "FROM",
    " FROM ",
    "SELECT ",
    "WITH ",
    " AS ",
    "AS(",
    "INSERT INTO ",
    "UPDATE ",
    "DELETE FROM ",
    "CALL ",
    "PRAGMA ",
    "key",
    "DROP TABLE ",
    "CREATE FUNCTION ",
    "JOIN ",
    "DISTINCT ",
    "RECURSIVE ",
    "VALUES ",
    "ROLLBACK TO ",
    "EXPLAIN ",
    "$a(",
    "2020_a",
];

fn text(rng: &mut Rng) -> String {
    let length = rng.usize(0..20);
    let mut text = String::new();
    for _ in 0..length {
        match rng.u8(0..16) {
            0 => text.push(rng.char(..)),
            1 => text.push(char::from(rng.u8(0..128))),
            _ => text.push_str(PIECES[rng.usize(0..PIECES.len())]),
        }
    }
    text
}

#[track_caller]
fn assert_holds(sql: &str, dialect: Dialect) {
    let statement = parse(sql, dialect);
    let text = statement.text().unwrap_or_default();
    assert!(text.len() <= sql.len().min(MAX_TEXT), "{sql:?} grows");
    assert!(statement.summary().len() <= MAX_SUMMARY, "{sql:?}");
    let mut again = Tokens::new(text, dialect);
    assert!(
        again.all(|token| token.kind != Kind::Literal),
        "{dialect:?}: {sql:?} leaves {text:?}"
    );
}

fn assert_many_hold(dialect: Dialect) {
    let mut rng = Rng::with_seed(0);
    for _ in 0..TEXTS {
        assert_holds(&text(&mut rng), dialect);
    }
}

#[test]
fn any_text_is_read_within_its_bounds_for_any_database() {
    assert_many_hold(Dialect::Generic);
}

#[test]
fn any_text_is_read_within_its_bounds_for_mysql() {
    assert_many_hold(Dialect::MySql);
}

#[test]
fn any_text_is_read_within_its_bounds_for_postgres() {
    assert_many_hold(Dialect::Postgres);
}

#[test]
fn any_text_is_read_within_its_bounds_for_sqlite() {
    assert_many_hold(Dialect::Sqlite);
}

/// Texts in which a reader that looks back or ahead for each token would look at everything again.
fn repeated() -> Vec<String> {
    const UNITS: &[&str] = &[
        "(",
        ")",
        "SELECT (",
        "/*",
        "*/",
        "--",
        "'",
        "''",
        "\"",
        "`",
        "[",
        "\\'",
        "$a$",
        "$a",
        "'\n",
        "' -- \n",
        "'\r'",
        "E'\\'",
        "/*!",
        "/*!*/",
        "a.",
        "\"a\".",
        ",t",
        "WITH t AS (",
        "WITH t AS (SELECT 1),",
        "FROM t,",
        "$a(",
        "1e+",
        "@@",
        "::",
        "INSERT INTO t SELECT ",
        "UNION SELECT 1 FROM t ",
        ";",
        "CREATE TABLE t;",
        "\0",
        "é",
        "#",
        "?1",
    ];
    let several = |unit: &&str| unit.repeat((1 << 20) / unit.len());
    let tables: Vec<_> = (0..100_000).map(|number| format!("t{number}")).collect();
    let defined: Vec<_> = tables
        .iter()
        .map(|table| format!("{table} AS(SELECT 1)"))
        .collect();
    UNITS
        .iter()
        .map(several)
        .chain([
            format!("SELECT * FROM {}", tables.join(",")),
            format!(
                "WITH {} SELECT * FROM {}",
                defined[..300].join(","),
                tables.join(",")
            ),
        ])
        .collect()
}

/// The time that this thread has been running for.
fn time_spent() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = statistics
        .split(' ')
        .next()
        .and_then(|field| field.parse().ok());
    nanoseconds.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

static START: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);

#[test]
fn a_long_text_takes_a_bounded_time() {
    for sql in repeated() {
        for dialect in DIALECTS {
            let before = time_spent();
            assert_holds(&sql, dialect);
            let taken = time_spent() - before;
            // A debug build needs some 20 ms; anything quadratic, minutes.
            let start: String = sql.chars().take(40).collect();
            assert!(taken < Duration::from_secs(1), "{taken:?} for {start:?}");
        }
    }
}
