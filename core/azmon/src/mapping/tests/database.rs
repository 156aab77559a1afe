//! Database calls, and the hosts of all calls.

use super::*;

#[test]
fn databases_have_type_target_and_statement_by_new_and_old_names() {
    let new = texts([
        ("db.system.name", "microsoft.sql_server"),
        ("db.query.text", "SELECT 1"),
        ("db.operation.name", "SELECT"),
        ("db.namespace", "shop"),
        ("server.address", "db"),
        ("server.port", "1433"),
    ]);
    assert_eq!(
        call(SpanKind::Client, &new),
        ["SQL", "db|shop", "SELECT 1", "0"]
    );
    let old = texts([
        ("db.system", "postgresql"),
        ("db.operation", "SELECT"),
        ("db.name", "shop"),
        ("net.peer.name", "db"),
        ("net.peer.port", "15432"),
    ]);
    assert_eq!(
        call(SpanKind::Client, &old),
        ["postgresql", "db:15432|shop", "SELECT", "0"]
    );
    let system = texts([("db.system", "redis")]);
    assert_eq!(
        call(SpanKind::Internal, &system),
        ["redis", "redis", "", "0"]
    );
}

#[test]
fn each_database_system_has_its_type_and_its_default_port() {
    for (system, kind, port) in [
        ("cassandra", "cassandra", 9042),
        ("db2", "SQL", 50000),
        ("ibm.db2", "SQL", 50000),
        ("derby", "SQL", 1527),
        ("h2", "SQL", 8082),
        ("h2database", "SQL", 8082),
        ("hsqldb", "SQL", 0),
        ("mariadb", "SQL", 3306),
        ("memcached", "memcached", 11211),
        ("microsoft.sql_server", "SQL", 1433),
        ("mongodb", "mongodb", 27017),
        ("mssql", "SQL", 1433),
        ("mysql", "mysql", 3306),
        ("oracle", "SQL", 1521),
        ("oracle.db", "SQL", 1521),
        ("other_sql", "SQL", 0),
        ("postgresql", "postgresql", 5432),
        ("redis", "redis", 6379),
        ("sqlite", "SQL", 0),
        ("cockroachdb", "cockroachdb", 0),
    ] {
        let with_port = |port: i64| {
            let attributes = [
                ("db.system.name", system.into()),
                ("server.address", "db".into()),
                ("server.port", port.into()),
            ];
            let [kind, target, ..] = call(SpanKind::Client, &attributes);
            (kind, target)
        };
        assert_eq!(
            with_port(port),
            (kind.to_owned(), "db".to_owned()),
            "{system}"
        );
        assert_eq!(with_port(4711).1, "db:4711", "{system}");
    }
}

#[test]
fn hosts_and_ports_are_written_so_that_they_can_be_read() {
    for (host, port, expected) in [
        ("h", "8080", "h:8080"),
        ("h/", "8080", "h:8080"),
        ("::1", "8080", "[::1]:8080"),
        ("fe80::1%eth0", "8080", "[fe80::1%eth0]:8080"),
        ("::1", "", "::1"),
        ("h", "0", "h"),
        ("h", "65536", "h"),
        ("h", "+80", "h"),
        ("/", "8080", ""),
    ] {
        let attributes = texts([("server.address", host), ("server.port", port)]);
        assert_eq!(
            call(SpanKind::Client, &attributes)[1],
            expected,
            "{host} {port}"
        );
    }
}
