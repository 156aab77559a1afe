//! What is left of their texts.

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
            "SELECT E'it\\'s' || 'a\\' || U&'\\0041'",
            "SELECT ? || ? || ?",
        ),
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
            "SELECT 'it\\'s', \"say \\\"x\\\"\", `a``b`",
            "SELECT ?, ?, `a``b`",
        ),
        (
            "SELECT 1 # 'one'\n, 2 -- 'two'\n, 3--4",
            "SELECT ? , ? , ?--?",
        ),
        (
            "SELECT _utf8mb4'x', @a, @@session.b, ?",
            "SELECT _utf8mb4?, @a, @@session.b, ?",
        ),
        ("SELECT /*! 'executed' */ 1", "SELECT ?"),
    ] {
        assert_eq!(sanitised(sql, Dialect::MySql), text);
    }
}

#[test]
fn sqlite_parameters_and_identifiers_are_known() {
    assert_eq!(
        sanitised(
            "SELECT ?1, :a, @b, $c, [d e], `f`, \"g\", 'h\\', x'00'",
            Dialect::Sqlite
        ),
        "SELECT ?1, :a, @b, $c, [d e], `f`, \"g\", ?, ?"
    );
}

#[test]
fn modes_decide_about_the_text_alone() {
    let sql = "SELECT 1 FROM t";
    for (mode, text) in [
        (QueryText::Full, Some(sql)),
        (QueryText::Off, None),
        (QueryText::Sanitised, Some("SELECT ? FROM t")),
    ] {
        let statement = Statement::parse(sql, Dialect::Sqlite, mode);
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
    let full = Statement::parse(&"ä".repeat(MAX_TEXT), Dialect::Postgres, QueryText::Full);
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
