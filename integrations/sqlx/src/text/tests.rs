use proptest::prelude::*;
use proptest::sample::select;

use super::tokens::{Kind, Tokens};
use super::*;

const DIALECTS: [Dialect; 4] = [
    Dialect::Generic,
    Dialect::MySql,
    Dialect::Postgres,
    Dialect::Sqlite,
];

fn parse(sql: &str, dialect: Dialect) -> Statement {
    Statement::parse(sql, dialect, QueryText::Sanitised)
}

fn sanitised(sql: &str, dialect: Dialect) -> String {
    parse(sql, dialect).text().unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_summaries(cases: &[(&str, &str)], dialect: Dialect) {
    for (sql, summary) in cases {
        assert_eq!(parse(sql, dialect).summary(), *summary, "{sql}");
    }
}

#[test]
fn verbs_and_tables_are_summed_up() {
    let cases = [
        ("SELECT * FROM users WHERE id = 1", "SELECT users"),
        (
            "select u.id from public.users u, orders AS o where 1=1",
            "SELECT public.users orders",
        ),
        (
            "SELECT * FROM a LEFT OUTER JOIN b ON a.x = b.x, c",
            "SELECT a b",
        ),
        (
            "SELECT * FROM a JOIN b USING (id) JOIN a x ON 1=1",
            "SELECT a b",
        ),
        ("SELECT 1", "SELECT"),
        (
            "SELECT x FROM (SELECT y FROM b WHERE z IN (SELECT z FROM c)) s",
            "SELECT b SELECT c",
        ),
        ("SELECT * FROM (a JOIN b ON true)", "SELECT a b"),
        ("INSERT INTO t (a, b) VALUES ($1, $2), (3, 4)", "INSERT t"),
        ("INSERT INTO t SELECT * FROM s", "INSERT t SELECT s"),
        (
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 2",
            "INSERT t",
        ),
        (
            "UPDATE ONLY t SET a = b, c = d FROM s WHERE e IS DISTINCT FROM f",
            "UPDATE t s",
        ),
        ("DELETE FROM t USING s WHERE t.id = s.id", "DELETE t s"),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET x = 1",
            "MERGE t s",
        ),
        ("SELECT a FROM t FOR UPDATE OF t", "SELECT t"),
        (
            "WITH x AS (SELECT * FROM a), y (k) AS (SELECT * FROM x) SELECT * FROM y JOIN b ON 1=1",
            "SELECT a SELECT b",
        ),
        (
            "WITH moved AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM moved",
            "DELETE a INSERT b SELECT",
        ),
        (
            "(SELECT a FROM b) UNION ALL (SELECT a FROM c)",
            "SELECT b SELECT c",
        ),
        (
            "EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM t",
            "EXPLAIN SELECT t",
        ),
        (
            "CREATE TABLE IF NOT EXISTS s.t (id int PRIMARY KEY, \"from\" text)",
            "CREATE TABLE s.t",
        ),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a, b)",
            "CREATE INDEX i",
        ),
        (
            "CREATE TABLE t AS SELECT * FROM s",
            "CREATE TABLE t SELECT s",
        ),
        (
            "CREATE TRIGGER g AFTER UPDATE ON t BEGIN DELETE FROM s; END",
            "CREATE TRIGGER g",
        ),
        (
            "ALTER TABLE t ADD COLUMN a int, ADD COLUMN b int",
            "ALTER TABLE t",
        ),
        ("DROP TABLE IF EXISTS a, b CASCADE", "DROP TABLE a b"),
        ("TRUNCATE TABLE a, b", "TRUNCATE a b"),
        ("CALL refresh(1, 2)", "CALL refresh"),
        ("GRANT SELECT ON t TO u", "GRANT"),
        ("SET search_path TO x", "SET"),
        ("BEGIN IMMEDIATE", "BEGIN"),
        ("START TRANSACTION READ ONLY", "START TRANSACTION"),
        ("SAVEPOINT x", "SAVEPOINT"),
        ("RELEASE x", "RELEASE SAVEPOINT"),
        ("ROLLBACK", "ROLLBACK"),
        ("ROLLBACK WORK TO SAVEPOINT x", "ROLLBACK TO SAVEPOINT"),
        (
            "INSERT INTO a VALUES (1); UPDATE b SET c = 2;",
            "INSERT a UPDATE b",
        ),
        ("VALUES (1)", "VALUES"),
        ("", ""),
        (";;", ""),
        ("/* nothing */ -- at all", ""),
    ];
    for dialect in DIALECTS {
        assert_summaries(&cases, dialect);
    }
}

#[test]
fn functions_are_no_tables() {
    let cases = [
        ("SELECT EXTRACT(YEAR FROM created) FROM t", "SELECT t"),
        (
            "SELECT trim(BOTH ' ' FROM name), substring(a FROM 2) FROM t",
            "SELECT t",
        ),
        ("SELECT * FROM generate_series(1, 10) g, t", "SELECT t"),
        ("SELECT lower(replace(a, 'x', 'y')) FROM t", "SELECT t"),
        ("SELECT count(DISTINCT a) FROM t", "SELECT t"),
    ];
    for dialect in DIALECTS {
        assert_summaries(&cases, dialect);
    }
}

#[test]
fn dialects_have_their_own_words() {
    assert_summaries(
        &[
            ("INSERT OR REPLACE INTO t VALUES (1)", "INSERT t"),
            ("PRAGMA table_info(users)", "PRAGMA table_info"),
            (
                "SELECT * FROM [order items] JOIN [plain]",
                "SELECT [order items] plain",
            ),
        ],
        Dialect::Sqlite,
    );
    assert_summaries(
        &[
            ("INSERT IGNORE t SET a = 1", "INSERT t"),
            ("REPLACE INTO `t` VALUES (1)", "REPLACE t"),
            (
                "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2",
                "INSERT t",
            ),
            ("DELETE a FROM a JOIN b ON a.x = b.x", "DELETE a b"),
            ("SELECT * FROM t USE INDEX (i) WHERE a = 1", "SELECT t"),
            ("LOCK TABLES a READ, b WRITE", "LOCK a b"),
        ],
        Dialect::MySql,
    );
    assert_summaries(
        &[
            ("COPY t (a, b) FROM STDIN WITH (FORMAT csv)", "COPY t"),
            (
                "SELECT * FROM \"Song List\" s, \"plain\"",
                "SELECT \"Song List\" plain",
            ),
            ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", "REFRESH v"),
            ("LISTEN jobs", "LISTEN jobs"),
        ],
        Dialect::Postgres,
    );
}

#[test]
fn operation_and_collection_are_given_only_when_there_is_one() {
    let of = |sql| {
        let statement = parse(sql, Dialect::Postgres);
        let owned = |text: Option<&str>| text.map(str::to_owned);
        (
            owned(statement.operation()),
            owned(statement.collection()),
            statement.changes_rows(),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(of("SELECT * FROM a"), (some("SELECT"), some("a"), false));
    assert_eq!(of("SELECT * FROM a, b"), (some("SELECT"), None, false));
    assert_eq!(
        of("INSERT INTO a SELECT * FROM b"),
        (some("INSERT"), None, true)
    );
    assert_eq!(
        of("WITH x AS (SELECT 1 FROM b) INSERT INTO a SELECT * FROM x"),
        (some("INSERT"), None, true)
    );
    assert_eq!(
        of("UPDATE a SET b = 1; UPDATE a SET c = 1"),
        (some("UPDATE"), some("a"), true)
    );
    assert_eq!(of("UPDATE a SET b = 1; SELECT 1"), (None, some("a"), false));
    assert_eq!(
        of("CREATE TABLE a (b int)"),
        (some("CREATE TABLE"), some("a"), false)
    );
    assert_eq!(
        of("CREATE INDEX i ON a (b)"),
        (some("CREATE INDEX"), None, false)
    );
    assert_eq!(
        of("EXPLAIN DELETE FROM a"),
        (some("EXPLAIN"), some("a"), false)
    );
    assert_eq!(
        of("ROLLBACK TO SAVEPOINT x"),
        (some("ROLLBACK TO SAVEPOINT"), None, false)
    );
    assert_eq!(of(""), (None, None, false));
}

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

/// Pieces of SQL, with and without sense, that meet in every order.
fn pieces() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "SELECT",
        "FROM",
        "JOIN",
        "INSERT INTO",
        "UPDATE",
        "DELETE",
        "WITH",
        "AS",
        "SET",
        "CREATE TABLE",
        "t",
        "\"q\"",
        "`b`",
        "[s]",
        "'lit'",
        "'it''s'",
        "E'a\\'b'",
        "$$x$$",
        "$t$y$t$",
        "$1",
        "?",
        ":p",
        "@v",
        "1",
        "2.5e+3",
        "(",
        ")",
        ",",
        ";",
        ".",
        "*",
        " ",
        "\n",
        "--",
        "-- c\n",
        "/*",
        "*/",
        "#",
        "'",
        "\"",
        "`",
        "[",
        "]",
        "\\",
        "$",
        "é",
        "U&'z'",
        "0x",
        "e",
        "N",
        "::",
        "😀",
    ];
    prop::collection::vec(select(PIECES), 0..40).prop_map(|pieces| pieces.concat())
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    select(&DIALECTS[..])
}

/// A literal in every form that `dialect` has, whose content can be recognised.
fn literal(dialect: Dialect, secret: &str, form: usize) -> String {
    let mut forms = vec![
        format!("'{secret}'"),
        format!("'{secret}''{secret}'"),
        format!("N'{secret}'"),
        format!("X'{secret}'"),
    ];
    match dialect {
        Dialect::MySql => forms.extend([format!("\"{secret}\""), format!("'\\'{secret}\\\\'")]),
        Dialect::Postgres => forms.extend([
            format!("E'\\'{secret}'"),
            format!("$${secret}$$"),
            format!("$x$'{secret}$x$"),
        ]),
        Dialect::Generic | Dialect::Sqlite => {}
    }
    let form = form % forms.len();
    forms.swap_remove(form)
}

const TEMPLATES: &[&str] = &[
    "SELECT * FROM users WHERE name = {} AND age > {} LIMIT {}",
    "INSERT INTO users (name, age) VALUES ({}, {}), ({}, {})",
    "UPDATE users SET name = {} WHERE id IN ({}, {})",
    "WITH x AS (SELECT {} AS a FROM b) DELETE FROM c WHERE d = {} -- {}",
    "CALL p({}, {}); SELECT {} FROM t JOIN u ON t.a = {} /* {} */",
];

fn fill(template: &str, literals: &[String]) -> String {
    let mut literals = literals.iter().cycle();
    let mut sql = String::new();
    for (index, part) in template.split("{}").enumerate() {
        if index > 0 {
            sql.push_str(literals.next().map_or("1", String::as_str));
        }
        sql.push_str(part);
    }
    sql
}

proptest! {
    #[test]
    fn any_text_has_tokens_that_cover_it(sql in any::<String>(), pieces in pieces(), dialect in any_dialect()) {
        for sql in [sql, pieces] {
            let covered: String = Tokens::new(&sql, dialect).map(|token| token.text).collect();
            prop_assert_eq!(covered, sql);
        }
    }

    #[test]
    fn text_never_grows_and_has_no_literal(sql in any::<String>(), pieces in pieces(), dialect in any_dialect()) {
        for sql in [sql, pieces] {
            let once = sanitised(&sql, dialect);
            prop_assert!(once.len() <= sql.len());
            prop_assert!(parse(&sql, dialect).summary().len() <= MAX_SUMMARY);
            prop_assert!(Tokens::new(&once, dialect).all(|token| token.kind != Kind::Literal), "{}", once);
        }
    }

    #[test]
    fn sanitised_text_opens_nothing_that_hides_a_string(
        sql in any::<String>(),
        pieces in pieces(),
        dialect in any_dialect(),
    ) {
        for sql in [sql, pieces] {
            let with_secret = format!("{}\n'zqsecret'", sanitised(&sql, dialect));
            prop_assert!(!sanitised(&with_secret, dialect).contains("zqsecret"), "{}", with_secret);
        }
    }

    #[test]
    fn no_literal_is_kept(
        template in select(TEMPLATES),
        secrets in prop::collection::vec(("zq[0-9a-f]{6,12}", 0_usize..7), 1..6),
        dialect in any_dialect(),
    ) {
        let literals: Vec<_> = secrets.iter().map(|(secret, form)| literal(dialect, secret, *form)).collect();
        let statement = parse(&fill(template, &literals), dialect);
        for (secret, _) in &secrets {
            prop_assert!(!statement.text().unwrap().contains(secret.as_str()));
            prop_assert!(!statement.summary().contains(secret.as_str()));
        }
    }

    #[test]
    fn other_literals_make_no_other_statement(
        template in select(TEMPLATES),
        first in prop::collection::vec(("[a-z ;()]{0,12}", 0_usize..7), 1..6),
        second in prop::collection::vec(any::<u32>(), 1..6),
        dialect in any_dialect(),
    ) {
        let strings: Vec<_> = first.iter().map(|(text, form)| literal(dialect, text, *form)).collect();
        let numbers: Vec<_> = second.iter().map(u32::to_string).collect();
        prop_assert_eq!(
            parse(&fill(template, &strings), dialect),
            parse(&fill(template, &numbers), dialect)
        );
    }
}
