//! The sanitised texts of statements.

use super::*;

#[test]
fn literals_and_comments_are_taken_out() {
    for dialect in DIALECTS {
        for (sql, text) in [
            (
                "SELECT 'it''s', 1.5e-3, 0xFF, N'x', X'00', .5, -7",
                "SELECT ?, ?, ?, ?, ?, ?, -?",
            ),
            ("  SELECT\n\t1 -- one\n  , /* two */ 2  ", "SELECT ? , ?"),
            ("SELECT a/**/b", "SELECT a b"),
            ("SELECT 'open", "SELECT ?"),
            ("SELECT 1 /* open 'x'", "SELECT ?"),
            (
                "SELECT table1.a1 FROM table1",
                "SELECT table1.a1 FROM table1",
            ),
            ("SELECT'a'FROM t", "SELECT?FROM t"),
        ] {
            assert_eq!(sanitised(sql, dialect), text, "{dialect:?}");
        }
    }
}

#[test]
fn postgres_strings_are_known() {
    for (sql, text) in [
        (
            "SELECT E'it\\'s' || 'a' || U&'\\0041'",
            "SELECT ? || ? || ?",
        ),
        // One string, whose escapes go on with it.
        ("SELECT E'a'\n  'b\\'c secret', d", "SELECT ?, d"),
        ("SELECT 'a' -- it's\n\t'b', c", "SELECT ?, c"),
        ("SELECT 'a' 'b'", "SELECT ? ?"),
        // A carriage return ends the comment.
        ("SELECT 'a' -- it's\r || 'x\nsecret'", "SELECT ? || ?"),
        ("SELECT $1$$secret$$, 1$$a secret$$", "SELECT $1?, ??"),
        // With `standard_conforming_strings` off, the second is data.
        ("SELECT 'C:\\' AS a, 'secret' AS b", "SELECT ?"),
        ("SELECT u&'a\\' UESCAPE '!', b", "SELECT ? UESCAPE ?, b"),
        ("SELECT 'a\\\\' AS a, b", "SELECT ? AS a, b"),
        ("SELECT $$it's$$, $a$ $$ $b$ $a$, $1", "SELECT ?, ?, $1"),
        ("SELECT $tag$ never closed $tag", "SELECT ?"),
        (
            "SELECT /* a /* nested 'b' */ 'c' */ d::int, e->>'f' ? 'g'",
            "SELECT d::int, e->>? ? ?",
        ),
        (
            "SELECT \"a \"\" 'b'\" FROM \"never 'closed'",
            "SELECT \"a \"\" 'b'\" FROM ?",
        ),
        ("SELECT a[1:2]", "SELECT a[?:?]"),
    ] {
        assert_eq!(sanitised(sql, Dialect::Postgres), text);
    }
}

#[test]
fn mysql_strings_and_comments_are_known() {
    for (sql, text) in [
        (
            "SELECT 'its', \"say x\", `a``b`, 'a\\\\', 'a\\n'",
            "SELECT ?, ?, `a``b`, ?, ?",
        ),
        (
            "SELECT 1 # 'one'\n, 2 -- 'two'\n, 3--4",
            "SELECT ? , ? , ?--?",
        ),
        (
            "SELECT _utf8mb4'x', @a, @@session.b, ?",
            "SELECT _utf8mb4?, @a, @@session.b, ?",
        ),
        ("SELECT --\x7F it's\n'a'", "SELECT ?"),
        ("SELECT * FROM 2020_sales, 1", "SELECT * FROM 2020_sales, ?"),
        ("SELECT 1e5, 0xFF, 0b01, 1.5", "SELECT ?, ?, ?, ?"),
        // With `NO_BACKSLASH_ESCAPES` the second string is another.
        ("SELECT 'C:\\' AS a, 'secret' AS b", "SELECT ?"),
        ("SELECT 'it\\'s', b", "SELECT ?"),
        ("SELECT 'it\\'s and it\\'s', b", "SELECT ?, b"),
        ("SELECT u&'a\\'secret', 'b'", "SELECT u&?"),
        // With `ANSI_QUOTES` the backslash is part of the name.
        ("SELECT \"a\\\" AS a, \"secret\" AS b", "SELECT ?"),
        (
            "SELECT * FROM \"users\" JOIN x.\"y\"",
            "SELECT * FROM \"users\" JOIN x.\"y\"",
        ),
        (
            "SELECT TRIM(\"a\" FROM \"secret\") FROM t",
            "SELECT TRIM(? FROM ?) FROM t",
        ),
        // Whether it is a comment depends on the version.
        ("SELECT /*! SQL_NO_CACHE */ a", "SELECT a"),
        ("SELECT /*+ MAX_EXECUTION_TIME(1000) */ a", "SELECT a"),
        ("SELECT /*! 'executed' */ 1, a", "SELECT ?"),
        ("SELECT /*!50000 'a */ secret' */", "SELECT ?"),
        ("SELECT /*M!100000 'a */ secret' */", "SELECT ?"),
        ("SELECT /*!99999 a /* b */ c */ secret", "SELECT ?"),
    ] {
        assert_eq!(sanitised(sql, Dialect::MySql), text, "{sql}");
    }
}

#[test]
fn sqlite_parameters_and_identifiers_are_known() {
    for (sql, text) in [
        (
            "SELECT ?1, :a, @b, $c, [d e], `f`, 'h\\', x'00'",
            "SELECT ?1, :a, @b, $c, [d e], `f`, ?, ?",
        ),
        // A string, where no column has that name.
        (
            "SELECT id FROM users WHERE email = \"ada@example.com\"",
            "SELECT id FROM users WHERE email = ?",
        ),
        (
            "SELECT \"u\".\"id\", \"x\" FROM \"users\" AS \"u\", \"b\"",
            "SELECT \"u\".\"id\", ? FROM \"users\" AS ?, \"b\"",
        ),
        (
            "SELECT a IS DISTINCT FROM \"secret\" FROM \"t\"",
            "SELECT a IS DISTINCT FROM ? FROM \"t\"",
        ),
        ("SELECT [a]]'secret', [b]", "SELECT [a]]?, [b]"),
        // The quote is in the name of the variable.
        ("SELECT $a('x), 'secret'", "SELECT ?"),
        ("SELECT 1 -- it's\r'\n, a", "SELECT ? , a"),
        ("PRAGMA key = \"x'2DD2'\"", "PRAGMA key = ?"),
        (
            "PRAGMA main.rekey=passphrase; SELECT a",
            "PRAGMA main.rekey=?; SELECT a",
        ),
        ("pragma [hexkey] (abc)", "pragma [hexkey] (?)"),
        ("PRAGMA table_info(users)", "PRAGMA table_info(users)"),
    ] {
        assert_eq!(sanitised(sql, Dialect::Sqlite), text, "{sql}");
    }
}

#[test]
fn other_databases_keep_what_all_dialects_read_alike() {
    for (sql, text) in [
        (
            "SELECT a, `b`, [c], :d, @e, $f, ? FROM \"t\" -- x\n WHERE g = 'h'",
            "SELECT a, `b`, [c], :d, @e, $f, ? FROM \"t\" WHERE g = ?",
        ),
        ("SELECT \"secret\", $$secret$$, ?1", "SELECT ?, ?, ?"),
        ("SELECT 'a\\' , 'secret'", "SELECT ?"),
        ("SELECT a # it's\n, 'secret'", "SELECT a ?"),
        ("SELECT a -- it's\r, 'secret'", "SELECT a"),
    ] {
        assert_eq!(sanitised(sql, Dialect::Generic), text, "{sql}");
    }
}

#[test]
fn nothing_after_a_nul_is_kept() {
    for dialect in DIALECTS {
        assert_eq!(sanitised("SELECT a\0 secret", dialect), "SELECT ??");
        assert_eq!(
            parse("SELECT * FROM a\0secret", dialect).summary(),
            "SELECT"
        );
    }
}

#[test]
fn what_is_beyond_the_bound_is_not_read() {
    let sql = format!("SELECT '{}', b FROM secret", "x".repeat(MAX_READ));
    let cut = format!("SELECT '{}' FROM secret", "x".repeat(MAX_READ - 20));
    for dialect in DIALECTS {
        let statement = parse(&sql, dialect);
        assert_eq!(
            (statement.text(), statement.summary()),
            (Some("SELECT ??"), "SELECT")
        );
        let statement = parse(&cut, dialect);
        assert_eq!(
            (statement.text(), statement.summary()),
            (Some("SELECT ? FROM ??"), "SELECT")
        );
    }
}

#[test]
fn modes_decide_about_the_text_alone() {
    let sql = "SELECT 1 FROM t";
    for (mode, text) in [
        (QueryText::Full, Some(sql)),
        (QueryText::Off, None),
        (QueryText::Sanitised, Some("SELECT ? FROM t")),
    ] {
        let statement = QueryInfo::parse(sql, Dialect::Sqlite, mode);
        assert_eq!((statement.text(), statement.summary()), (text, "SELECT t"));
    }
}

#[test]
fn long_texts_are_cut_between_tokens_and_long_summaries_between_names() {
    let sql = format!(
        "SELECT * FROM {}",
        vec!["a_table_name".repeat(3); 500].join(", ")
    );
    let statement = parse(&sql, Dialect::Postgres);
    assert!((MAX_TEXT - 50..=MAX_TEXT).contains(&statement.text().unwrap().len()));
    let many: Vec<_> = (0..100).map(|n| format!("table_{n}")).collect();
    let statement = parse(
        &format!("SELECT * FROM {}", many.join(", ")),
        Dialect::Postgres,
    );
    assert!((MAX_SUMMARY - 10..=MAX_SUMMARY).contains(&statement.summary().len()));
    assert!(
        many.iter()
            .any(|table| statement.summary().ends_with(table))
    );
    let full = QueryInfo::parse(&"ä".repeat(MAX_TEXT), Dialect::Postgres, QueryText::Full);
    assert_eq!(full.text().unwrap().len(), MAX_TEXT);
}

#[test]
fn nesting_without_end_is_survived() {
    for text in [
        "(".repeat(100_000),
        "SELECT (".repeat(10_000),
        "/*".repeat(10_000),
        ")".repeat(1000),
    ] {
        for dialect in DIALECTS {
            parse(&text, dialect);
        }
    }
}
