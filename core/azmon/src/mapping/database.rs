//! Databases, by the stable and the old conventions.

use crate::mapping::attributes::Attributes;
use crate::mapping::keys::Key;
use crate::mapping::network::peer_and_port;

pub(super) const SYSTEM: [Key; 2] = [Key::DbSystemName, Key::DbSystem];
const COMMAND: [Key; 4] = [
    Key::DbQueryText,
    Key::DbStatement,
    Key::DbOperationName,
    Key::DbOperation,
];
const NAMESPACE: [Key; 2] = [Key::DbNamespace, Key::DbName];

/// `SQL` for the systems that the portal shows so; other systems keep their name.
pub(super) fn dependency_type<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    let system = attributes.take_first(&SYSTEM)?;
    Some(if is_sql(system) { "SQL" } else { system })
}

/// The statement, else the operation.
pub(super) fn data<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    attributes.take_first(&COMMAND)
}

/// `host[:port]|database`, or the known part of it, or the system.
pub(super) fn target<'a>(attributes: &Attributes<'a>) -> Option<&'a str> {
    let (_, system) = attributes.peek_first(&SYSTEM)?;
    let server = peer_and_port(attributes, |port| Some(port) == default_port(system));
    let database = attributes.take_first(&NAMESPACE);
    match (server, database) {
        (Some(server), Some(database)) => Some(attributes.arena().concat(&[server, "|", database])),
        (None, None) => attributes.take_first(&SYSTEM),
        (known, other) => known.or(other),
    }
}

fn is_sql(system: &str) -> bool {
    matches!(
        system,
        "db2"
            | "derby"
            | "h2"
            | "h2database"
            | "hsqldb"
            | "ibm.db2"
            | "mariadb"
            | "microsoft.sql_server"
            | "mssql"
            | "oracle"
            | "oracle.db"
            | "other_sql"
            | "sqlite"
    )
}

fn default_port(system: &str) -> Option<u16> {
    Some(match system {
        "cassandra" => 9042,
        "db2" | "ibm.db2" => 50000,
        "derby" => 1527,
        "h2" | "h2database" => 8082,
        "mariadb" | "mysql" => 3306,
        "memcached" => 11211,
        "microsoft.sql_server" | "mssql" => 1433,
        "mongodb" => 27017,
        "oracle" | "oracle.db" => 1521,
        "postgresql" => 5432,
        "redis" => 6379,
        _ => return None,
    })
}
