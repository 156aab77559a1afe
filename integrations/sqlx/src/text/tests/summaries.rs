//! The summaries of statements.

use super::*;

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
        ("SELECT * FROM tables t", "SELECT tables"),
        (
            "SELECT * FROM view, index i JOIN exists",
            "SELECT view index exists",
        ),
        ("INSERT INTO tables VALUES (1)", "INSERT tables"),
        ("LOCK TABLES a READ", "LOCK a"),
        (
            "INSERT INTO t WITH x AS (SELECT * FROM y) SELECT * FROM x",
            "INSERT t SELECT y SELECT",
        ),
        (
            "CREATE TABLE t AS WITH x AS (SELECT 1) SELECT * FROM x JOIN y",
            "CREATE TABLE t SELECT y",
        ),
        (
            "ALTER TABLE t ADD a TIMESTAMP WITH TIME ZONE, ADD FOREIGN KEY (b) REFERENCES c ON DELETE CASCADE",
            "ALTER TABLE t",
        ),
        (
            "DROP FUNCTION f; SELECT * FROM t",
            "DROP FUNCTION f SELECT t",
        ),
        (
            "CREATE FUNCTION f() BEGIN SELECT * FROM t; END",
            "CREATE FUNCTION f",
        ),
        (
            "WITH a AS (WITH b AS (SELECT 1) SELECT * FROM b) SELECT * FROM a JOIN b",
            "SELECT b",
        ),
        (
            "WITH RECURSIVE n AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT * FROM n",
            "SELECT",
        ),
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
        ("SELECT m.from, m.to FROM messages m", "SELECT messages"),
        ("SELECT m.select, m.join FROM t m", "SELECT t"),
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
fn a_table_is_defined_after_its_definition() {
    let sql = "WITH users AS (SELECT * FROM users WHERE a) SELECT * FROM users";
    for dialect in [Dialect::Generic, Dialect::MySql, Dialect::Postgres] {
        assert_summaries(&[(sql, "SELECT users SELECT")], dialect);
    }
    // SQLite needs no word for recursion.
    let sql = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n";
    assert_summaries(&[(sql, "SELECT")], Dialect::Sqlite);
}

#[test]
fn a_procedure_is_told_when_one_is_called() {
    let of = |sql| {
        parse(sql, Dialect::MySql)
            .stored_procedure()
            .map(str::to_owned)
    };
    assert_eq!(
        of("CALL shop.refresh(1, 'x')").as_deref(),
        Some("shop.refresh")
    );
    assert_eq!(of("CALL a(); CALL b()"), None);
    assert_eq!(of("EXECUTE a"), None);
    assert_eq!(of("SELECT * FROM a"), None);
    assert_eq!(parse("CALL a()", Dialect::MySql).collection(), None);
}

#[test]
fn names_that_start_with_digits_are_names_in_mysql() {
    assert_summaries(
        &[
            ("SELECT * FROM 2020_sales, 0xFF", "SELECT 2020_sales"),
            ("DELETE FROM 1a", "DELETE 1a"),
        ],
        Dialect::MySql,
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
